import { formatAddressBytes, type ConditionNode, type FilterNode, type FilterValue } from '@ringflow/contract';
import { networksByLength, type AddressRange } from '../../collector/src/query/value-ranges.ts';

/** A filter that nfdump's language has no words for, and which class of filters it belongs to. */
export class NotInNfdump extends Error {}

/**
 * A filter in the language of nfdump 1.7 (nfdump(1), FILTER), written from its tree.
 *
 * What nfdump cannot say, or means otherwise:
 * - interfaces, masks, VLANs, ToS and protocol take `=` only
 * - AS numbers need a database of locations (`-G`) and are looked up in it where the record has none
 * - an order on `port` means either side, as ours does, but a range of either side must be written out
 * - `flags` knows FIN to URG, of TCP only, and means any of several: each is asked for by itself
 * - `bpp` is rounded down: only `<` and `>=` of whole numbers mean the same. `bps` and `pps` are, too, and nfdump
 *   takes a flow without duration for one of rate 0, ours for one of a millisecond
 * - a network of length 0 has no family; ours has (`0.0.0.0/0` is IPv4)
 * - comparing two fields, patterns, names, sets of flags, quality, exporters, times and all other columns
 *
 * @throws NotInNfdump
 */
export function toNfdump(node: FilterNode | null): string {
  if (!node) return 'any';
  switch (node.kind) {
    case 'and':
    case 'or':
      return `(${node.items.map(toNfdump).join(` ${node.kind} `)})`;
    case 'not':
      return `not (${toNfdump(node.item)})`;
    case 'condition':
      return condition(node);
  }
}

/** How a field is called, and what may be asked of it. */
const FIELDS: Readonly<Record<string, { readonly names: readonly string[]; readonly kind: Kind }>> = {
  src_addr: { names: ['src'], kind: 'address' },
  dst_addr: { names: ['dst'], kind: 'address' },
  addr: { names: [''], kind: 'address' },
  src_port: { names: ['src port'], kind: 'ordered list' },
  dst_port: { names: ['dst port'], kind: 'ordered list' },
  port: { names: ['src port', 'dst port'], kind: 'ordered list' },
  in_if: { names: ['in if'], kind: 'equal' },
  out_if: { names: ['out if'], kind: 'equal' },
  if: { names: ['if'], kind: 'equal' },
  src_mask: { names: ['src mask'], kind: 'equal' },
  dst_mask: { names: ['dst mask'], kind: 'equal' },
  mask: { names: ['mask'], kind: 'equal' },
  src_vlan: { names: ['src vlan'], kind: 'equal' },
  dst_vlan: { names: ['dst vlan'], kind: 'equal' },
  proto: { names: ['proto'], kind: 'equal' },
  ip_tos: { names: ['tos'], kind: 'equal' },
  bytes: { names: ['bytes'], kind: 'ordered' },
  packets: { names: ['packets'], kind: 'ordered' },
  duration: { names: ['duration'], kind: 'ordered' },
  bpp: { names: ['bpp'], kind: 'rounded' },
  tcp_flags: { names: ['flags'], kind: 'flags' },
};
type Kind = 'address' | 'ordered list' | 'ordered' | 'equal' | 'rounded' | 'flags';

/** Fields that the two languages share. */
export const SHARED_FIELDS: readonly string[] = Object.keys(FIELDS);

function condition({ field, operator, values }: ConditionNode): string {
  const known = FIELDS[field.name];
  if (!known) throw new NotInNfdump(field.name);
  const { names, kind } = known;
  const any = (terms: readonly string[]): string =>
    terms.length === 1 ? (terms[0] as string) : `(${terms.join(' or ')})`;
  if (kind === 'address') return any(addresses(names[0] as string, values));
  if (kind === 'flags') return any(values.map((value) => flags(numberOf(value), operator)));
  if (operator !== '=' && operator !== 'in') {
    if (kind === 'equal') throw new NotInNfdump(`${field.name} ${operator}`);
    const value = numberOf(values[0] as FilterValue);
    if (!Number.isInteger(value)) throw new NotInNfdump('fractions');
    if (kind === 'rounded' && operator !== '<' && operator !== '>=') throw new NotInNfdump(`${field.name} ${operator}`);
    return any(names.map((name) => `${name} ${operator} ${value}`));
  }
  if (kind === 'rounded') throw new NotInNfdump(`${field.name} ${operator}`);
  const numbers = values.flatMap((value) => (value.kind === 'range' ? [] : [numberOf(value)]));
  if (numbers.some((value) => !Number.isInteger(value))) throw new NotInNfdump('fractions');
  const ranges = values.flatMap((value) => (value.kind === 'range' ? [value] : []));
  if (kind === 'equal' && ranges.length > 0) throw new NotInNfdump(`ranges of ${field.name}`);
  return any(
    names.flatMap((name) => [
      ...(kind === 'ordered list' && numbers.length > 2
        ? [`${name} in [${numbers.join(' ')}]`]
        : numbers.map((value) => (kind === 'equal' ? `${name} ${value}` : `${name} = ${value}`))),
      ...ranges.map(({ from, to }) => `(${name} >= ${from} and ${name} <= ${to})`),
    ]),
  );
}

const IPV4_PREFIX = '::ffff:';

function addresses(side: string, values: readonly FilterValue[]): string[] {
  const ranges = values.map((value): AddressRange => {
    if (value.kind !== 'addresses') throw new NotInNfdump('names and fields');
    return value;
  });
  const networks = [...networksByLength(ranges)].flatMap(([bits, list]) =>
    list.map((bytes) => {
      const isIpv4 = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
      const text = formatAddressBytes(bytes).replace(IPV4_PREFIX, '');
      if (isIpv4 && bits > 96) return { text, bits: bits - 96, most: 32 };
      // A shorter one holds IPv4 as a part of IPv6.
      if (isIpv4 || bits === 0 || bytes.slice(0, 8).every((byte) => byte === 0))
        throw new NotInNfdump('networks over both families');
      return { text, bits, most: 128 };
    }),
  );
  if (networks.length > 3)
    return [
      `${side} ip in [${networks.map(({ text, bits, most }) => (bits === most ? text : `${text}/${bits}`)).join(' ')}]`,
    ];
  return networks.map(({ text, bits, most }) => (bits === most ? `${side} ip ${text}` : `${side} net ${text}/${bits}`));
}

const FLAGS = 'FSRPAU';

function flags(value: number, operator: ConditionNode['operator']): string {
  if (value >= 64) throw new NotInNfdump('flags beyond URG');
  const letters = (bits: number): string[] => [...FLAGS].filter((_, bit) => (bits >> bit) & 1);
  const set = letters(value);
  if (operator === 'has') {
    if (set.length === 0) throw new NotInNfdump('no flags');
    return `(${set.map((letter) => `flags ${letter}`).join(' and ')})`;
  }
  if (operator !== '=' && operator !== 'in') throw new NotInNfdump(`tcp_flags ${operator}`);
  return `(${[...set.map((letter) => `flags ${letter}`), ...letters(~value & 63).map((letter) => `not flags ${letter}`)].join(' and ')})`;
}

function numberOf(value: FilterValue): number {
  if (value.kind !== 'number') throw new NotInNfdump(`a ${value.kind}`);
  return value.value;
}
