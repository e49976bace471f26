/**
 * What information elements are called and how they are typed. Which column an element fills stands in the registry of
 * columns (`contract/columns.ts`); here are names for options records and messages, and types for the generic decoder.
 */
import { IANA_ELEMENTS } from './elements-iana.ts';
import { VENDOR_ELEMENTS } from './elements-vendor.ts';

/** Abstract data types of RFC 7012 3.1 and the lists of RFC 6313. */
export type ElementType =
  | 'octetArray'
  | 'unsigned8'
  | 'unsigned16'
  | 'unsigned32'
  | 'unsigned64'
  | 'signed8'
  | 'signed16'
  | 'signed32'
  | 'signed64'
  | 'float32'
  | 'float64'
  | 'boolean'
  | 'macAddress'
  | 'string'
  | 'dateTimeSeconds'
  | 'dateTimeMilliseconds'
  | 'dateTimeMicroseconds'
  | 'dateTimeNanoseconds'
  | 'ipv4Address'
  | 'ipv6Address'
  | 'basicList'
  | 'subTemplateList'
  | 'subTemplateMultiList';

/** One line of an element table. */
export interface ElementRow {
  readonly id: number;
  readonly name: string;
  readonly type: ElementType;
  /** As the registry writes it: octets, packets, milliseconds … */
  readonly unit?: string;
}

/** An information element. */
export interface Element extends ElementRow {
  readonly pen: number;
}

/** Private enterprise numbers that the decoders and tables mention. */
export const PEN = {
  iana: 0,
  cisco: 9,
  juniper: 2636,
  ixia: 3054,
  netscaler: 5951,
  cert: 6871,
  vmware: 6876,
  barracuda: 10_704,
  procera: 15_397,
  /** The same elements for the other direction of a biflow (RFC 5103 6.1). */
  reverse: 29_305,
  nprobe: 35_632,
  viptela: 41_916,
} as const;

/** YAF marks the reverse direction of its own elements by this bit of the number (L15). */
const CERT_REVERSE_BIT = 0x4000;

/**
 * NetFlow v9 field types that are not elements: Cisco ASA, nProbe and Palo Alto number above 32767, where IPFIX has its
 * enterprise bit (RFC 3954 5.2, protocols L14).
 */
const NETFLOW9_FIELDS: readonly ElementRow[] = [
  { id: 33000, name: 'ingressAclId', type: 'octetArray' },
  { id: 33001, name: 'egressAclId', type: 'octetArray' },
  { id: 33002, name: 'fwExtEvent', type: 'unsigned16' },
  { id: 40000, name: 'aaaUsername', type: 'string' },
  { id: 40001, name: 'xlateSourceIPv4Address', type: 'ipv4Address' },
  { id: 40002, name: 'xlateDestinationIPv4Address', type: 'ipv4Address' },
  { id: 40003, name: 'xlateSourceTransportPort', type: 'unsigned16' },
  { id: 40004, name: 'xlateDestinationTransportPort', type: 'unsigned16' },
  { id: 40005, name: 'fwEvent', type: 'unsigned8' },
  { id: 56701, name: 'paloAltoAppId', type: 'string' },
  { id: 56702, name: 'paloAltoUserId', type: 'string' },
  { id: 57590, name: 'l7Proto', type: 'unsigned16' },
  { id: 57591, name: 'l7ProtoName', type: 'string' },
];

/** NetFlow v9 scopes have numbers of their own (RFC 3954 6.1, protocols T20). */
const NETFLOW9_SCOPES: Readonly<Record<number, string>> = { 1: 'System', 2: 'Interface', 3: 'LineCard', 4: 'Cache', 5: 'Template' };

const ELEMENTS: ReadonlyMap<number, ReadonlyMap<number, Element>> = byPen();

function byPen(): Map<number, Map<number, Element>> {
  const all = new Map<number, Map<number, Element>>();
  const add = (element: Element) => {
    const known = all.get(element.pen) ?? new Map<number, Element>();
    known.set(element.id, element);
    all.set(element.pen, known);
  };
  for (const row of [...IANA_ELEMENTS, ...NETFLOW9_FIELDS]) add({ pen: PEN.iana, ...row });
  for (const row of VENDOR_ELEMENTS) add(row);
  return all;
}

/** The element, or undefined for one that no table names. Reverse elements have the type of their forward twin. */
export function findElement(pen: number, id: number): Element | undefined {
  const found = ELEMENTS.get(pen)?.get(id);
  if (found) return found;
  if (pen === PEN.reverse) return reversed(ELEMENTS.get(PEN.iana)?.get(id), pen, id);
  if (pen === PEN.cert && (id & CERT_REVERSE_BIT) !== 0) return reversed(ELEMENTS.get(pen)?.get(id & ~CERT_REVERSE_BIT), pen, id);
  return undefined;
}

function reversed(element: Element | undefined, pen: number, id: number): Element | undefined {
  if (!element) return undefined;
  return { ...element, pen, id, name: `reverse${element.name.charAt(0).toUpperCase()}${element.name.slice(1)}` };
}

/** `sourceIPv4Address`, `6871.33(silkAppLabel)` without the numbers: the name, or `pen.id` when there is none. */
export function elementName(pen: number, id: number): string {
  return findElement(pen, id)?.name ?? `${pen}.${id}`;
}

/** `scope.System` …, or `scope.9` for a number without a name. */
export function scopeName(id: number): string {
  return `scope.${NETFLOW9_SCOPES[id] ?? id}`;
}
