import { formatEtherType, formatFlowType, formatProtocol } from '../names.ts';
import { formatAsn, formatDuration, formatMac, formatQuality, formatTcpFlags, formatTimeNs } from '../values.ts';
import type { FieldKind } from './fields.ts';
import type { ConditionNode, FilterNode, FilterValue } from './tree.ts';

/** The canonical text of a filter: parsing it gives an equal tree. */
export function formatFilter(tree: FilterNode | null): string {
  return tree ? formatNode(tree) : '';
}

function formatNode(node: FilterNode): string {
  switch (node.kind) {
    case 'and':
    case 'or':
      return node.items
        .map((item) => (item.kind === 'and' || item.kind === 'or' ? `(${formatNode(item)})` : formatNode(item)))
        .join(` ${node.kind} `);
    case 'not':
      return node.item.kind === 'condition' || node.item.kind === 'not'
        ? `not ${formatNode(node.item)}`
        : `not (${formatNode(node.item)})`;
    case 'condition':
      return formatCondition(node);
  }
}

function formatCondition({ field, operator, values }: ConditionNode): string {
  const texts = values.map((value) => formatValue(field.kind, value));
  const list = operator === 'in' || values.length > 1 ? `(${texts.join(', ')})` : (texts[0] as string);
  return `${field.name} ${operator} ${list}`;
}

function formatValue(kind: FieldKind, value: FilterValue): string {
  switch (value.kind) {
    case 'number':
      return formatNumber(kind, value.value);
    case 'range':
      return `${formatNumber(kind, value.from)}-${formatNumber(kind, value.to)}`;
    case 'addresses':
      return value.text;
    case 'time':
      return quote(formatTimeNs(value.ns));
    case 'text':
    case 'name':
      return quote(value.text);
    case 'field':
      return value.field.name;
  }
}

function formatNumber(kind: FieldKind, value: number): string {
  switch (kind) {
    case 'asn':
      return formatAsn(value) || 'AS0';
    case 'proto':
      return quoteUnlessWord(formatProtocol(value));
    case 'etype':
      return quoteUnlessWord(formatEtherType(value));
    case 'flowType':
      return quoteUnlessWord(formatFlowType(value));
    case 'tcpFlags':
      return formatTcpFlags(value) === '' ? '0' : quote(formatTcpFlags(value));
    case 'quality':
      return formatQuality(value) === '' ? '0' : quote(formatQuality(value));
    case 'service':
      return `${formatProtocol(Math.floor(value / 65_536))}/${value % 65_536}`;
    case 'direction':
      return value === 0 ? 'ingress' : 'egress';
    case 'mac':
      return formatMac(value);
    case 'duration':
      return formatDuration(value);
    default:
      return String(value);
  }
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n').replace(/\t/g, '\\t').replace(/\r/g, '\\r')}"`;
}

function quoteUnlessWord(text: string): string {
  return /^[\w.:/-]+$/.test(text) ? text : quote(text);
}
