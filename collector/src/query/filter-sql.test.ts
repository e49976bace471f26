import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import {
  EXPORTER_KINDS,
  CLICKHOUSE_TYPES,
  formatAddressBytes,
  formatFilter,
  parseAddress,
  parseFilter,
  type Column,
} from '@ringflow/contract';
import {
  ADDRESSES,
  ALL_COLUMNS,
  ALL_FIELDS,
  createFilterSource,
  createRandom,
  TEXTS,
} from '../../../contract/filter/testing/random-filter.ts';
import { compileFilter } from './filter-sql.ts';
import { NO_NAMES, type NameLookup } from './resolve.ts';
import { evaluateFilter, type EvaluatedRow } from './testing/evaluate.ts';

const ROWS = 2_000;
const FILTERS = Number(process.env['RINGFLOW_RANDOM_FILTERS'] ?? 2_000);
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
const NAMED: Readonly<Record<number, string>> = { 64500: 'Example Net', 64501: "O'Brien \\ Sons" };

const IDS = Object.keys(NAMED).map(Number);

const names: NameLookup = {
  ...NO_NAMES,
  exportersWhere: (matches) => EXPORTERS.filter((_, index) => matches(`edge${index}`)),
  interfacesWhere: (matches) => INTERFACES.filter(({ name, description }) => matches(name) || matches(description)),
  idsWhere: (kind, matches) =>
    Object.keys(NAMED)
      .map(Number)
      .filter(
        (number) =>
          matches(kind === 'as' ? (NAMED[number] as string) : `${kind} ${number}`) ||
          (kind !== 'as' && matches(NAMED[number] as string)),
      ),
  // Two of what there is have each attribute.
  attributeValues: ({ kind }) =>
    ['a', 'two words'].map((value, index) => ({
      exporter: kind === 'exporter' || EXPORTER_KINDS.has(kind) ? (EXPORTERS[index] as string) : '',
      id: EXPORTER_KINDS.has(kind) ? index + 1 : kind === 'exporter' ? 0 : (IDS[index] as number),
      value,
    })),
};

const random = createRandom(20_261_121);
const oneOf = <T>(items: readonly T[]): T => items[random(items.length)] as T;

const BASE_NS = 1_795_217_400_000_000_000n;

function randomCell(column: Column): EvaluatedRow[string] {
  if (column.name === 'sampler_address') return parseAddress(oneOf(EXPORTERS)) as Uint8Array;
  if (column.name === 'client_side') return random(3);
  if (column.text === 'word') return random((column.words as readonly string[]).length);
  if (column.text === 'country') return oneOf([0, 0x4445, 0x5553]);
  switch (column.type) {
    case 'addr':
      return parseAddress(oneOf(ADDRESSES)) as Uint8Array;
    case 'time':
      return BASE_NS + BigInt(random(100)) * 1_000_000n + BigInt(random(2) * 100);
    case 'u32[]':
      return Array.from({ length: random(4) }, () => oneOf([3356, 64500, 100]));
    case 'string':
      return oneOf(TEXTS);
    case 'u8':
      return oneOf([0, 1, 6, 17, 184, 255]);
    case 'u16':
      return oneOf([0, 18, 53, 80, 443, 2048, 34525, 65535]);
    default:
      return oneOf([0, 1, 2, 3, 64500, 64501, 6 * 65_536 + 443, 100, 1_000_000]);
  }
}

function insertText(row: EvaluatedRow): string {
  return `(${ALL_COLUMNS.map((column) => cellText(row[column.name])).join(',')})`;
}
function cellText(value: EvaluatedRow[string] | undefined): string {
  if (value instanceof Uint8Array) return `'${formatAddressBytes(value)}'`;
  if (typeof value === 'bigint') return `fromUnixTimestamp64Nano(toInt64(${value}))`;
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n')}'`;
  return Array.isArray(value) ? `[${value.join(',')}]` : String(value);
}

const directory = mkdtempSync(join(tmpdir(), 'ringflow-filter-'));
const session = new Session(directory);
const rows: EvaluatedRow[] = Array.from({ length: ROWS }, () => {
  const row = Object.fromEntries(ALL_COLUMNS.map((column) => [column.name, randomCell(column)]));
  return { ...row, exporter_text: formatAddressBytes(row['sampler_address'] as Uint8Array) };
});

beforeAll(() => {
  session.query('CREATE DATABASE IF NOT EXISTS t');
  session.query(
    `CREATE TABLE t.flows (n UInt32, ${ALL_COLUMNS.map((column) => `${column.name} ${CLICKHOUSE_TYPES[column.type]}`).join(', ')}) ENGINE = Memory`,
  );
  const types = ALL_COLUMNS.map(
    (column) => `${column.name} ${CLICKHOUSE_TYPES[column.type].replace(/'/g, "\\'")}`,
  ).join(', ');
  // In parts: a statement may be 256 KiB long.
  for (let at = 0; at < ROWS; at += 200) {
    const part = rows.slice(at, at + 200).map((row, index) => `(${at + index},${insertText(row).slice(1)}`);
    session.query(`INSERT INTO t.flows SELECT * FROM values('n UInt32, ${types}', ${part.join(',')})`);
  }
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

test(
  `${FILTERS} random filters give the same rows from the engine and from the evaluator`,
  async () => {
    const source = createFilterSource(random);
    let parsed = 0;
    let some = 0;
    for (let i = 0; i < FILTERS; i++) {
      const text = source.filter();
      const { tree, error } = parseFilter(text, { fields: ALL_FIELDS });
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
  },
  Math.max(600_000, FILTERS * 200),
);

const ATTACKS = [
  `'; DROP TABLE t.flows; --`,
  `\\'; DROP TABLE t.flows; --`,
  `\\`,
  `") OR 1=1 --`,
  `' OR '1'='1`,
  '{f0:String}',
  '{f99:String}',
  '${x}',
  `' UNION SELECT * FROM file('/etc/passwd') --`,
  '\0',
  '%',
  '`t`.`flows`',
  '*/ 1 /*',
  '?',
  '\u2019 OR 1',
];

test('no text of a filter gets into the SQL', async () => {
  for (const attack of ATTACKS) {
    const quoted = `"${attack.replace(/["\\]/g, '\\$&')}"`;
    const escaped = `"${attack.replace(/[\\%_]/g, '\\$&').replace(/["\\]/g, '\\$&')}"`;
    const literal = `"${attack.replace(/[\\^$.|?*+()[\]{}'"`/-]/g, '\\$&').replace(/["\\]/g, '\\$&')}"`;
    const named: NameLookup = {
      ...names,
      exportersWhere: (matches) => (matches(attack) ? EXPORTERS.slice(0, 1) : []),
      interfacesWhere: (matches) => (matches(attack) ? INTERFACES.slice(0, 1) : []),
      idsWhere: (_, matches) => (matches(attack) ? [64500] : []),
      attributeValues: () => [{ exporter: EXPORTERS[0] as string, id: 64500, value: attack }],
    };
    // Each says the same about the attack, so each finds something: rows by name, or none but without harm.
    for (const text of [
      ...['in_if', 'if', 'exporter', 'as'].flatMap((field) => [
        `${field} = ${quoted}`,
        `${field} in (${quoted}, 4)`
          .replace('exporter in', 'exporter in')
          .replace(', 4)', field === 'exporter' ? ')' : ', 4)'),
        `${field} like ${escaped}`,
        `${field} ilike ${escaped}`,
        `${field} ~ ${literal}`,
      ]),
      ...['remark', 'land'].flatMap((field) => [
        `${field} = ${quoted}`,
        `${field} != ${quoted}`,
        `${field} in (${quoted}, ${quoted})`,
        `${field} like ${escaped}`,
        `${field} ilike ${escaped}`,
        `${field} ~ ${literal}`,
        `${field} has ${quoted}`,
      ]),
    ]) {
      const { tree, error } = parseFilter(text, { fields: ALL_FIELDS });
      expect([text, error]).toEqual([text, undefined]);
      const { sql, params } = compileFilter(tree ?? null, named);
      // Fixed words, column names and placeholders, nothing else.
      const rest = sql
        .replace(/\{f\d+:[A-Za-z0-9()]+\}/g, '')
        .replace(/\b(?:AND|OR|NOT|IN|BETWEEN|LIKE|ILIKE|match|position|[a-z]+_[a-z_]+|remark)\b/g, '');
      expect([text, rest]).toEqual([text, expect.stringMatching(/^[ ()=,>01]*$/)]);
      expect([text, await matching(sql, params)]).toEqual([
        text,
        rows.flatMap((row, index) => (evaluateFilter(tree ?? null, row, named) ? [index] : [])),
      ]);
    }
  }
  expect(await matching('1', {})).toHaveLength(rows.length);
});

test('a set of thousands of networks is a few look-ups', async () => {
  const members = Array.from({ length: 5_000 }, (_, index) => `10.${index >> 8}.${index & 255}.0/${24 + (index % 5)}`);
  const { tree } = parseFilter('src_addr in @many and not dst_addr in @many', { sets: { many: members } });
  const { sql, params } = compileFilter(tree ?? null);
  expect(sql.length).toBeLessThan(4_000);
  const some = rows.slice(0, 100);
  expect((await matching(sql, params)).filter((index) => index < some.length)).toEqual(
    some.flatMap((row, index) => (evaluateFilter(tree ?? null, row, names) ? [index] : [])),
  );
});

test('interfaces of many exporters stay one condition', async () => {
  const many = Array.from({ length: 300 }, (_, index) => ({
    ...INTERFACES[0]!,
    exporter: `192.0.2.${index % 256}`,
    index: index % 7,
  }));
  const { tree } = parseFilter('in_if = "uplink"');
  const { sql, params } = compileFilter(tree ?? null, { ...names, interfacesWhere: () => many });
  expect(sql.length).toBeLessThan(200);
  expect((await matching(sql, params)).length).toBeGreaterThan(0);
});

test('a condition longer than the engine reads is an error of the filter', () => {
  const { tree } = parseFilter(Array.from({ length: 900 }, (_, index) => `bps > ${index}`).join(' or '));
  expect(() => compileFilter(tree ?? null)).toThrow(expect.objectContaining({ code: 'filter_too_complex' }));
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
