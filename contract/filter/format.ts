import { formatAddressBytes, formatPrefix, maskPrefix, lastAddress } from '../address.ts';
import { formatEtherType, formatFlowType, formatProtocol } from '../names.ts';
import {
  formatAsn,
  formatCountry,
  formatDuration,
  formatMac,
  formatQuality,
  formatTcpFlags,
  formatTimeNs,
} from '../values.ts';
import type { FilterField } from './fields.ts';
import { compareBytes } from './literals.ts';
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
  const texts = values.map((value) => formatValue(field, value));
  const list = operator === 'in' || values.length > 1 ? `(${texts.join(', ')})` : (texts[0] as string);
  return `${field.name} ${operator} ${list}`;
}

function formatValue(field: FilterField, value: FilterValue): string {
  const { kind } = field;
  switch (value.kind) {
    case 'number':
      return formatNumber(field, value.value);
    case 'range':
      return kind === 'proto' || kind === 'etype'
        ? `${value.from}-${value.to}` // names have dashes of their own
        : `${formatNumber(field, value.from)}-${formatNumber(field, value.to)}`;
    case 'addresses':
      return formatAddresses(value.from, value.to);
    case 'time':
      return quoted(formatTimeNs(value.ns));
    case 'text':
    case 'name':
      return quoted(value.text);
    case 'field':
      return value.field.name;
  }
}

/** An address, the prefix that the range is, or the range. */
function formatAddresses(from: Uint8Array, to: Uint8Array): string {
  if (compareBytes(from, to) === 0) return formatAddressBytes(from);
  for (let bits = 0; bits < 128; bits++) {
    const prefix = maskPrefix(from, bits);
    if (compareBytes(prefix.bytes, from) === 0 && compareBytes(lastAddress(prefix), to) === 0)
      return formatPrefix(prefix);
  }
  return `${formatAddressBytes(from)}-${formatAddressBytes(to)}`;
}

function formatNumber({ kind, words }: FilterField, value: number): string {
  switch (kind) {
    case 'word':
      return words?.[value] || '""';
    case 'named':
      return '""';
    case 'country':
      return quoted(formatCountry(value));
    case 'asn':
      return formatAsn(value) || 'AS0';
    case 'proto':
      return formatFilterText(formatProtocol(value));
    case 'etype':
      return formatFilterText(formatEtherType(value) || '0');
    case 'flowType':
      return formatFilterText(formatFlowType(value));
    case 'tcpFlags':
      return formatTcpFlags(value) === '' ? '0' : quoted(formatTcpFlags(value));
    case 'quality':
      return formatQuality(value) === '' ? '0' : quoted(formatQuality(value));
    case 'service':
      return formatService(Math.floor(value / 65_536), value % 65_536);
    case 'direction':
      return value === 0 ? 'ingress' : 'egress';
    case 'mac':
      return formatMac(value);
    case 'duration':
      // Parts of a millisecond are written as such; formatDuration rounds them away.
      return Number.isInteger(value) ? formatDuration(value) : `${value.toFixed(6).replace(/0+$/, '')}ms`;
    default:
      return String(value);
  }
}

function formatService(proto: number, port: number): string {
  const name = formatProtocol(proto);
  return `${/^[\w.-]+$/.test(name) ? name : proto}/${port}`;
}

/** A value as a filter takes it: bare where that is safe, in quotes otherwise. */
export function formatFilterText(text: string): string {
  return /^[\w.:/-]+$/.test(text) && !/^(and|or|not)$|--/i.test(text) ? text : quoted(text);
}

/** A value as a string of the filter language; the lexer reads the same value back. */
export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n').replace(/\t/g, '\\t').replace(/\r/g, '\\r')}"`;
}
