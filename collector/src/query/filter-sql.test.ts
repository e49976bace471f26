import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import {
  CLICKHOUSE_TYPES,
  COLUMNS,
  formatAddressBytes,
  formatFilter,
  operatorsOf,
  parseAddress,
  parseFilter,
  createFieldTable,
  type Column,
  type FilterField,
} from '@ringflow/contract';
import { compileFilter } from './filter-sql.ts';
import type { NameLookup } from './resolve.ts';
import { evaluateFilter, type EvaluatedRow } from './testing/evaluate.ts';

const ROWS = 400;
const FILTERS = Number(process.env['RINGFLOW_RANDOM_FILTERS'] ?? 2_000);
const STORED = (COLUMNS as readonly Column[]).filter((column) => column.stored);
const EXPORTERS = ['192.0.2.1', '192.0.2.2', '2001:db8::9'];
const INTERFACES = EXPORTERS.flatMap((exporter) =>
  [1, 2, 3].map((index) => ({
    exporter,
    index,
    name: `xe-0/0/${index}`,
    description: `Transit: provider ${index}`,
    speedBps: 1e9,
  })),
);
const AS_NAMES: Readonly<Record<number, string>> = { 64500: 'Example Net', 64501: "O'Brien \\ Sons" };

const names: NameLookup = {
  exporter: () => undefined,
  interface: () => undefined,
  as: () => undefined,
  exportersWhere: (matches) => EXPORTERS.filter((_, index) => matches(`edge${index}`)),
  interfacesWhere: (matches) => INTERFACES.filter(({ name, description }) => matches(name) || matches(description)),
  asWhere: (matches) =>
    Object.keys(AS_NAMES)
      .map(Number)
      .filter((number) => matches(AS_NAMES[number] as string)),
};

function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
    return Math.floor((((state ^ (state >>> 12)) >>> 0) / 4294967296) * below);
  };
}
const random = createRandom(20_261_121);
const oneOf = <T>(items: readonly T[]): T => items[random(items.length)] as T;

const ADDRESSES = [
  '10.0.0.1',
  '10.0.0.2',
  '10.1.2.3',
  '192.0.2.1',
  '192.0.2.2',
  '2001:db8::1',
  '2001:db8::9',
  '::',
  '255.255.255.255',
];
const BASE_NS = 1_795_217_400_000_000_000n;

function randomCell(column: Column): EvaluatedRow[string] {
  if (column.name === 'sampler_address') return parseAddress(oneOf(EXPORTERS)) as Uint8Array;
  switch (column.type) {
    case 'addr':
      return parseAddress(oneOf(ADDRESSES)) as Uint8Array;
    case 'time':
      return BASE_NS + BigInt(random(100)) * 1_000_000n;
    case 'u32[]':
      return Array.from({ length: random(3) }, () => oneOf([3356, 64500, 100]));
    case 'string':
      return oneOf(['', 'a', 'b%', "it's", 'ü\\n']);
    case 'u8':
      return oneOf([0, 1, 6, 17, 184, 255]);
    case 'u16':
      return oneOf([0, 18, 53, 80, 443, 2048, 34525, 65535]);
    default:
      return oneOf([0, 1, 2, 3, 64500, 64501, 6 * 65_536 + 443, 100, 1_000_000]);
  }
}

function literal(field: FilterField): string {
  const values: Partial<Record<FilterField['kind'], readonly string[]>> = {
    number: ['0', '1', '100', '1M', '1k', '6', '2-64500'],
    port: ['53', '80', '443', '0-1023', 'https', 'domain'],
    asn: ['AS64500', '64501', '0', '"Example Net"', `"O'Brien \\\\ Sons"`, '"nobody"'],
    proto: ['tcp', 'udp', '1', '"HOPOPT"'],
    etype: ['IPv6', 'IPv4', '0x12'],
    flowType: ['NETFLOW_V5', 'SFLOW_5'],
    direction: ['ingress', 'egress'],
    tcpFlags: ['syn', 'SA', '"SYN,ACK"', '18'],
    quality: ['sampling_unknown', '3'],
    service: ['https', 'tcp/443', 'icmp'],
    interface: ['1', '2', '"xe-0/0/1"', '"transit: PROVIDER 2"', '"none"'],
    exporter: [...EXPORTERS, '192.0.2.0/24', '"edge1"', '"EDGE0"', '"x"'],
    addr: [...ADDRESSES.slice(0, 7), '10.0.0.0/8', '2001:db8::/32', '10.0.0.1-10.0.0.9', '0.0.0.0/0', '::/0'],
    mac: ['00:00:00:00:00:01', '00:00:00:00:fb:f4'],
    text: ['"a"', '"b%"', `"it's"`, '"ü\\\\n"'],
    time: ['"2026-11-20T23:30:00.050Z"', '1795217400010'],
    duration: ['0', '10ms', '50ms', '1s', '20ms-60ms'],
    list: ['3356', '64500', '1:0'],
  };
  return oneOf(values[field.kind] ?? ['1']);
}

const FIELDS = createFieldTable().fields;

function randomCondition(): string {
  const field = oneOf(FIELDS);
  const operator = oneOf(operatorsOf(field.kind));
  switch (operator) {
    case 'in':
    case 'not in':
      return `${field.name} ${operator} (${Array.from({ length: 1 + random(3) }, () => literal(field)).join(', ')})`;
    case 'between':
      return `${field.name} between ${literal(field)} and ${literal(field)}`;
    case 'like':
    case 'ilike':
      return `${field.name} ${operator} ${oneOf(['"%e%"', '"xe-_/0/1"', '"edge_"', '"%"', '"a"', '"b\\\\%"', '"TRANSIT%"'])}`;
    case '~':
    case '!~':
      return `${field.name} ${operator} ${oneOf(['"^a"', '"[ab]"', '".*"'])}`;
    default:
      return `${field.name} ${operator} ${literal(field)}`;
  }
}

function randomFilter(depth = 0): string {
  const kind = random(depth > 3 ? 4 : 8);
  if (kind < 4) return randomCondition();
  if (kind === 4) return `not (${randomFilter(depth + 1)})`;
  return `(${Array.from({ length: 2 + random(2) }, () => randomFilter(depth + 1)).join(kind < 6 ? ' and ' : ' or ')})`;
}

function insertText(row: EvaluatedRow): string {
  return `(${STORED.map((column) => cellText(row[column.name])).join(',')})`;
}
function cellText(value: EvaluatedRow[string] | undefined): string {
  if (value instanceof Uint8Array) return `'${formatAddressBytes(value)}'`;
  if (typeof value === 'bigint') return `fromUnixTimestamp64Nano(toInt64(${value}))`;
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, '\\$&')}'`;
  return Array.isArray(value) ? `[${value.join(',')}]` : String(value);
}

const directory = mkdtempSync(join(tmpdir(), 'ringflow-filter-'));
const session = new Session(directory);
const rows: EvaluatedRow[] = Array.from({ length: ROWS }, () => {
  const row = Object.fromEntries(STORED.map((column) => [column.name, randomCell(column)]));
  return { ...row, exporter_text: formatAddressBytes(row['sampler_address'] as Uint8Array) };
});

beforeAll(() => {
  session.query('CREATE DATABASE IF NOT EXISTS t');
  session.query(
    `CREATE TABLE t.flows (n UInt32, ${STORED.map((column) => `${column.name} ${CLICKHOUSE_TYPES[column.type]}`).join(', ')}) ENGINE = Memory`,
  );
  session.query(
    `INSERT INTO t.flows SELECT * FROM values('n UInt32, ${STORED.map((column) => `${column.name} ${CLICKHOUSE_TYPES[column.type].replace(/'/g, "\\'")}`).join(', ')}', ${rows.map((row, index) => `(${index},${insertText(row).slice(1)}`).join(',')})`,
  );
});
afterAll(() => {
  session.close();
  rmSync(directory, { recursive: true, force: true });
});

async function matching(sql: string, params: object): Promise<number[]> {
  const result = await session.queryBindAsync(`SELECT n FROM t.flows WHERE ${sql} ORDER BY n`, params, {
    format: 'JSONCompactColumns',
  });
  return (result.json() as number[][])[0] ?? [];
}

test(`${FILTERS} random filters give the same rows from the engine and from the evaluator`, async () => {
  let parsed = 0;
  let some = 0;
  for (let i = 0; i < FILTERS; i++) {
    const text = randomFilter();
    const { tree, error } = parseFilter(text);
    if (error) {
      // Random literals may not fit every operator (a range after <); that must be a value error and nothing else.
      expect([text, error.code]).toEqual([text, 'filter_bad_value']);
      continue;
    }
    parsed++;
    const { sql, params } = compileFilter(tree, names);
    const expected = rows.flatMap((row, index) => (evaluateFilter(tree, row, names) ? [index] : []));
    if (expected.length > 0 && expected.length < ROWS) some++;
    let found: number[];
    try {
      found = await matching(sql, params);
    } catch (cause) {
      throw new Error(`${text}\n${sql}\n${JSON.stringify(params)}`, { cause });
    }
    expect({ text, canonical: formatFilter(tree), found }).toEqual({
      text,
      canonical: formatFilter(tree),
      found: expected,
    });
  }
  expect(parsed).toBeGreaterThan(FILTERS / 2);
  expect(some).toBeGreaterThan(FILTERS / 5);
}, 600_000);

test('no text of a filter gets into the SQL', async () => {
  const attacks = [
    `'; DROP TABLE t.flows; --`,
    `\\'`,
    `") OR 1=1 --`,
    '{f0:String}',
    '${x}',
    `' UNION SELECT * FROM file('/etc/passwd') --`,
    '\0',
    '%',
  ];
  for (const attack of attacks) {
    const quoted = `"${attack.replace(/["\\]/g, '\\$&')}"`;
    for (const text of [`in_if = ${quoted}`, `exporter like ${quoted}`, `as = ${quoted}`, `in_if in (${quoted}, 4)`]) {
      const { tree, error } = parseFilter(text);
      expect(error).toBeUndefined();
      const { sql, params } = compileFilter(tree ?? null, {
        ...names,
        interfacesWhere: (matches) => (matches(attack) ? INTERFACES.slice(0, 1) : []),
      });
      expect(sql).not.toContain(attack.slice(0, 8) === '%' ? '%' : attack);
      await matching(sql, params);
    }
  }
  expect(await matching('1', {})).toHaveLength(ROWS);
});

test('values are parameters', () => {
  const { tree } = parseFilter(
    'src_addr in 10.0.0.0/8 and dst_port in (80, 443, 8000-8100) and bytes > 10M and flags has syn',
  );
  expect(compileFilter(tree ?? null)).toEqual({
    sql: '(src_addr BETWEEN {f0:IPv6} AND {f1:IPv6} AND (dst_port BETWEEN {f2:UInt64} AND {f3:UInt64} OR dst_port IN {f4:Array(UInt64)}) AND bytes > {f5:UInt64} AND bitAnd(tcp_flags, {f6:UInt64}) = {f6:UInt64})',
    params: { f0: '10.0.0.0', f1: '10.255.255.255', f2: 8000, f3: 8100, f4: [80, 443], f5: 10_000_000, f6: 2 },
  });
});
