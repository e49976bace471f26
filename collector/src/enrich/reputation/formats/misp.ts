import { parseAsn, parsePrefix } from '@ringflow/contract';
import { NO_HEADER, type ListSink, type ParseList } from './list-row.ts';

interface MispAttribute {
  readonly type?: string;
  readonly value?: string;
  readonly to_ids?: boolean;
  readonly deleted?: boolean;
  readonly Tag?: readonly { readonly name?: string }[];
}

interface MispEvent {
  readonly Attribute?: readonly MispAttribute[];
  readonly Object?: readonly { readonly Attribute?: readonly MispAttribute[] }[];
  readonly Tag?: readonly { readonly name?: string }[];
}

/** Attributes of types that name addresses: which part of the value is the address, and which one the port. */
const TYPES: Readonly<Record<string, { readonly address: number; readonly port?: number }>> = {
  'ip-src': { address: 0 },
  'ip-dst': { address: 0 },
  'ip-src|port': { address: 0, port: 1 },
  'ip-dst|port': { address: 0, port: 1 },
  'domain|ip': { address: 1 },
};

/** Tags about how an event may be passed on and worked with, not about what it describes. */
const NO_LABELS = /^(tlp|pap|workflow|misp|type|osint|admiralty-scale|estimative-language|circl)(:|$)/i;

/**
 * MISP (https://www.misp-standard.org/rfc/misp-standard-core.html): an event file of a feed, or an export of
 * `attributes/restSearch` or `events/restSearch`. Only attributes with `to_ids`; the first tag that describes something
 * is the label. The manifest of a feed has no attributes and is skipped.
 *
 * @throws Error when it is none of these
 */
export const parseMisp: ParseList = (text, sink) => {
  const content = JSON.parse(text) as unknown;
  const found = eventsOf(content);
  if (found === null) throw new Error('It is no MISP event, export or manifest');
  for (const event of found) {
    const attributes = [
      ...(event.Attribute ?? []),
      ...(event.Object ?? []).flatMap((object) => object.Attribute ?? []),
    ];
    for (const attribute of attributes) takeAttribute(attribute, event, sink);
  }
  return NO_HEADER;
};

function eventsOf(content: unknown): MispEvent[] | null {
  if (Array.isArray(content)) return content.flatMap((part) => eventsOf(part) ?? []);
  if (typeof content !== 'object' || content === null) return null;
  const { Event, response, Attribute } = content as Record<string, unknown>;
  if (response !== undefined) return eventsOf(response);
  if (typeof Event === 'object' && Event !== null) return [Event];
  if (Array.isArray(Attribute)) return [content];
  const parts = Object.values(content);
  return parts.every((part) => typeof part === 'object' && part !== null && 'info' in part) ? [] : null;
}

function takeAttribute({ type = '', value = '', ...rest }: MispAttribute, event: MispEvent, sink: ListSink): void {
  if (rest.to_ids !== true || rest.deleted === true || (type !== 'AS' && !(type in TYPES))) return sink.skip();
  const label = labelOf([...(rest.Tag ?? []), ...(event.Tag ?? [])].map(({ name = '' }) => name));
  const said = label === '' ? {} : { labels: [label], category: label };
  if (type === 'AS') {
    const asn = parseAsn(value);
    return asn === null ? sink.broken(0, `"${value}" is not an AS number`) : sink.take({ match: asn, ...said });
  }
  const { address, port } = TYPES[type] as (typeof TYPES)[string];
  const parts = value.split('|');
  const match = parsePrefix(parts[address]?.trim() ?? '');
  const portNumber = port === undefined ? 0 : Number(parts[port]);
  if (!match || !(portNumber >= 0 && portNumber <= 65_535)) sink.broken(0, `"${value}" is not of the type ${type}`);
  else sink.take({ match, port: portNumber, ...said });
}

/** Of `misp-galaxy:malpedia="Emotet"` the part in quotes, of `botnet` all of it. */
function labelOf(tags: readonly string[]): string {
  const tag = tags.find((name) => name !== '' && !NO_LABELS.test(name));
  return tag === undefined ? '' : (/="(.+)"$/.exec(tag)?.[1] ?? tag);
}
