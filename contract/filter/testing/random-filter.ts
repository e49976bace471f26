import { COLUMNS, type Column } from '../../columns.ts';
import { createFieldTable, operatorsOf, type FilterField } from '../index.ts';

/** A number from 0 to below the argument. */
export type Random = (below: number) => number;

/** The same numbers for the same seed, so that a failure can be repeated. */
export function createRandom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
    return Math.floor((((state ^ (state >>> 12)) >>> 0) / 4294967296) * below);
  };
}

/** Columns of kinds that the registry's stored ones do not have (yet): texts on both sides, a text, hexadecimal digits. */
export const EXTRA_COLUMNS: readonly Column[] = [
  { name: 'src_land', text: 'string' },
  { name: 'dst_land', text: 'string' },
  { name: 'remark', text: 'string' },
  { name: 'code', text: 'hex' },
].map(({ name, text }) => ({
  ...(COLUMNS[0] as Column),
  name,
  type: 'string',
  text: text as 'string' | 'hex',
  label: name,
  description: name,
  stored: true,
}));

/** Every column that a random filter may be about. */
export const ALL_COLUMNS: readonly Column[] = [
  ...(COLUMNS as readonly Column[]).filter((column) => column.stored),
  ...EXTRA_COLUMNS,
];

/** Fields of all those columns. */
export const ALL_FIELDS = createFieldTable([
  ...ALL_COLUMNS,
  ...(COLUMNS as readonly Column[]).filter((column) => column.derived !== undefined),
]);

/** Addresses that rows and filters of the property tests are made of. */
export const ADDRESSES = [
  '10.0.0.1',
  '10.0.0.2',
  '10.1.2.3',
  '192.0.2.1',
  '192.0.2.2',
  '2001:db8::1',
  '2001:db8::9',
  '::',
  '255.255.255.255',
  'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
] as const;

/** Texts of rows; each stands for something that could go wrong. */
export const TEXTS = [
  '',
  'a',
  'A',
  'b%',
  'b_',
  "it's",
  'ü\\n',
  'Ü',
  'two words',
  'line\nbreak',
  '{f0:String}',
  'src_land',
];

const LITERALS: Readonly<Record<FilterField['kind'], readonly string[]>> = {
  number: ['0', '1', '6', '18', '0x11', '46', '2-100', '17-63'],
  port: ['53', '80', '443', '0-1023', '443-443', 'https', 'domain', '"http"'],
  asn: ['AS64500', '64501', '0', '1.10', 'AS64500-AS64501', '"Example Net"', `"O'Brien \\\\ Sons"`, '"nobody"'],
  proto: ['tcp', 'udp', '1', '"HOPOPT"', '184', '107', '124', 'TP++'],
  etype: ['IPv6', 'IPv4', '0x12', '443', '0'],
  flowType: ['NETFLOW_V5', 'SFLOW_5', '17'],
  direction: ['ingress', 'egress', '1'],
  tcpFlags: ['syn', 'SA', '"SYN,ACK"', '18', '0', '0x200', 'ns'],
  quality: ['sampling_unknown', '3', '"clock_anomaly,reverse"', '0'],
  service: ['https', 'tcp/443', 'icmp', '107/0', '"https (TCP/443)"', '39/1'],
  interface: ['1', '2', '"xe-0/0/1"', 'xe-0/0/2', '"transit: PROVIDER 2"', '"none"'],
  exporter: ['192.0.2.1', '2001:db8::9', '192.0.2.0/24', '192.0.2.1-192.0.2.2', '"edge1"', 'EDGE0', '"x"'],
  addr: [
    ...ADDRESSES,
    '10.0.0.0/8',
    '10.1.2.3/8',
    '2001:db8::/32',
    '10.0.0.1-10.0.0.9',
    '10.0.0.1-2001:db8::5',
    '0.0.0.0/0',
    '::/0',
    '::ffff:10.0.0.1',
  ],
  mac: ['00:00:00:00:00:01', '00:00:00:00:fb:f4', '0000.0000.0002'],
  text: [
    '"a"',
    'a',
    '"b%"',
    `"it's"`,
    '"ü\\\\n"',
    '"two words"',
    "'line\nbreak'",
    '"line\\nbreak"',
    '"{f0:String}"',
    '""',
    '"src_land"',
  ],
  hex: ['"61"', '0x4100', '6120'],
  time: [
    '"2026-11-20T23:30:00.050Z"',
    '1795217400010',
    '2026-11-20T23:30:00.0200001Z',
    '2026-11-21',
    '2026-11-21T01:30:00.04+02:00',
  ],
  duration: ['0', '10ms', '50ms', '1s', '20ms-60ms', '0.5ms', '20.000001ms', '1h30m'],
  list: ['3356', '64500', '1:0', 'AS100'],
  // Of `word` fields, their own words.
  word: [],
  country: ['DE', 'us', '"FR"', '""'],
  named: ['"Example Net"', '"nobody"', 'https', '"tcp/443"', '"b%"', '""'],
  attribute: ['"a"', '"A"', '"b%"', '"two words"', '""', '"nobody"'],
};

const RATES = ['0', '1', '1.5', '0.25', '100', '1M', '2.5k', '8G', '2-64500'];
const LARGE = ['0', '1', '100', '1M', '1k', '6', '1.1k', '2Ki', '2-64500', '0x64'];
const LIKES = [
  '"%e%"',
  '"xe-_/0/1"',
  'edge_',
  '"%"',
  '"a"',
  '"b\\%"',
  '"b\\\\%"',
  '"TRANSIT%"',
  '"\\a"',
  '"%\\\\\\\\%"',
  '"Ü"',
  '"6%"',
  '""',
  '"_"',
];
const REGEXES = [
  '"^a"',
  '"[ab]"',
  '".*"',
  '"(?i)^A$"',
  '"^(xe|et)-\\d+/[0-9]/[^13]$"',
  '"e{1,2}d?ge[01]"',
  '"\\bwords\\b"',
  '"^.$"',
  '"b[%_]"',
  '"^$"',
  '"t.b"',
  '"(a|b%)+$"',
  '"Provider (1|3)$"',
  '"Net$|Sons"',
];

/** Makes filters that parse, mostly, about every field, operator and form of value. */
export function createFilterSource(random: Random): { filter(): string } {
  const oneOf = <T>(items: readonly T[]): T => items[random(items.length)] as T;
  const plain = ALL_FIELDS.fields.filter((field) => field.columns.length === 1 && !field.computed);

  function literal(field: FilterField): string {
    if (random(30) === 0) {
      const same = plain.filter((other) => other.kind === field.kind);
      if (same.length > 0) return oneOf(same).name;
    }
    if (field.fractions) return oneOf(RATES);
    if (field.kind === 'number' && field.max !== 0xff && field.max !== 63) return oneOf(LARGE);
    if (field.words) return oneOf(field.words.filter((word) => word !== ''));
    return oneOf(LITERALS[field.kind]);
  }

  function condition(): string {
    const field = oneOf(ALL_FIELDS.fields);
    const operator = oneOf(operatorsOf(field.kind));
    const name = random(4) === 0 ? field.name.toUpperCase().replaceAll('_', '') : field.name;
    if (/in$/.test(operator) || (operator.endsWith('contains') && random(2) === 0)) {
      // Long lists take another way to SQL.
      const length = random(8) === 0 ? 10 + random(30) : 1 + random(3);
      return `${name} ${operator} (${Array.from({ length }, () => literal(field)).join(', ')})`;
    }
    if (operator === 'between') return `${name} between ${literal(field)} and ${literal(field)}`;
    if (operator.endsWith('like')) return `${name} ${operator} ${oneOf(LIKES)}`;
    if (operator.endsWith('~')) return `${name} ${operator} ${oneOf(REGEXES)}`;
    if (operator === 'has' && field.kind === 'tcpFlags' && random(2) === 0)
      return `${name} has syn ${oneOf(['and', 'or'])} not ack`;
    return `${name} ${operator} ${literal(field)}`;
  }

  function filter(depth = 0): string {
    const kind = random(depth > 3 ? 4 : 8);
    if (kind < 4) return condition();
    if (kind === 4) return oneOf([`not (${filter(depth + 1)})`, `! ${condition()}`]);
    const parts = Array.from({ length: 2 + random(2) }, () => filter(depth + 1));
    const text = parts.join(kind < 6 ? oneOf([' and ', ' && ', ' AND ']) : oneOf([' or ', ' || ']));
    return random(3) === 0 ? text : `(${text})`;
  }

  return { filter };
}
