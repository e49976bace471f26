import { mkdtemp, readdir, rename, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import { CLICKHOUSE_TYPES, COLUMNS, type Column, type ColumnName, type LedgerDelta } from '@ringflow/contract';
import { COLUMN_INDEX, createBatch, pushWord, resetBatch, useColumn, writeString, type Batch } from '../wire/index.ts';
import {
  createSpoolDirectory,
  createSpoolWriter,
  formatSegmentName,
  parseSegmentName,
  readDelta,
  removeSegment,
  scanSpool,
  segmentPath,
  type Segment,
  type SpoolWriter,
} from './index.ts';
import { readNativeColumns } from './testing/native-reader.ts';

let directory: string;
const writers: SpoolWriter[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringflow-spool-'));
});

afterEach(async () => {
  for (const writer of writers.splice(0)) await writer.stop(100);
  await rm(directory, { recursive: true, force: true });
});

async function startWriter(
  options: { max_bytes?: number; max_in_flight?: number; now?: () => number } = {},
): Promise<SpoolWriter> {
  const { now, ...config } = options;
  const writer = createSpoolWriter({ directory, inlet: '0', ...config }, now ? { now } : {});
  await writer.start();
  writers.push(writer);
  return writer;
}

function plain(rows: number): LedgerDelta {
  return { received: rows, rows, dropped: [] };
}

function smallBatch(rows: number): Batch {
  const batch = createBatch({ rowLimit: rows });
  const bytes = useColumn(batch, COLUMN_INDEX.bytes);
  for (let row = 0; row < rows; row++) bytes[row * 2] = row + 1;
  batch.rows = rows;
  return batch;
}

/** Every column of the registry, with values that fill its width. */
function fullBatch(rows: number): { batch: Batch; expected: Record<string, unknown>[] } {
  const batch = createBatch({ rowLimit: rows, columns: COLUMNS });
  const expected: Record<string, unknown>[] = Array.from({ length: rows }, () => ({}));
  for (const column of (COLUMNS as readonly Column[]).filter(({ stored }) => stored)) {
    const data = useColumn(batch, COLUMN_INDEX[column.name as ColumnName]) as Uint32Array;
    for (let row = 0; row < rows; row++) {
      const out = expected[row] as Record<string, unknown>;
      const low = 0x9000_0000 + row * 257;
      switch (column.type) {
        case 'u8':
        case 'u16':
        case 'u32':
          data[row] = 200 + row;
          out[column.name] = 200 + row;
          break;
        case 'u64':
        case 'mac':
          data[row * 2] = low;
          data[row * 2 + 1] = row + 3;
          out[column.name] = String((BigInt(row + 3) << 32n) + BigInt(low));
          break;
        case 'time': {
          const ns = 1_700_000_000_123_456_789n + BigInt(row);
          data[row * 2] = Number(ns & 0xffff_ffffn);
          data[row * 2 + 1] = Number(ns >> 32n);
          out[column.name] = String(ns);
          break;
        }
        case 'addr':
          new Uint8Array(data.buffer, row * 16, 16).set([
            0x20,
            0x01,
            0x0d,
            0xb8,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            1,
            row + 1,
          ]);
          out[column.name] = `2001:db8::1${(row + 1).toString(16).padStart(2, '0')}`;
          break;
        case 'string': {
          const text = 'x'.repeat(row * 70);
          writeString(batch, data, row, new TextEncoder().encode(text), 0, text.length);
          out[column.name] = text;
          break;
        }
        case 'u32[]':
          for (let item = 0; item < row; item++) pushWord(batch, data, row, 4_000_000_000 + item);
          out[column.name] = Array.from({ length: row }, (_, item) => 4_000_000_000 + item);
      }
    }
  }
  batch.rows = rows;
  return { batch, expected };
}

test('the engine reads every stored column of a segment as it was written', async () => {
  const writer = await startWriter();
  const { batch, expected } = fullBatch(5);
  const sealed = writer.seal(batch, plain(5));
  resetBatch(batch);
  expect(await sealed.sealed).toBe(true);
  const [segment] = (await scanSpool(directory)).ready as [Segment];
  const path = segmentPath(directory, segment);
  const { columns, rows } = await readNativeColumns(path);
  expect(rows).toBe(5);
  expect(new Map(columns.map(({ name, type }) => [name, type]))).toEqual(
    new Map(COLUMNS.filter(({ stored }) => stored).map(({ name, type }) => [name, CLICKHOUSE_TYPES[type]])),
  );
  const session = new Session();
  try {
    const list = columns.map(({ name, type }) =>
      type.startsWith('DateTime64') ? `toString(toUnixTimestamp64Nano(${name})) AS ${name}` : name,
    );
    const result = await session.queryAsync(
      `SELECT ${list.join(', ')} FROM file('${path}', 'Native') SETTINGS output_format_json_quote_64bit_integers = 1`,
      { format: 'JSONEachRow' },
    );
    expect(
      result
        .text()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(expected);
  } finally {
    session.close();
  }
});

test('a segment of several blocks, each with its own columns, reads as one table; drops may be told while it is open', async () => {
  const writer = await startWriter();
  const { batch, expected } = fullBatch(5);
  writer.append(batch);
  resetBatch(batch);
  const dropped = [{ reason: 'spool_full' as const, exporter: '192.0.2.1', records: 7 }];
  await writer.seal(batch, { received: 7, rows: 0, dropped }).sealed;
  expect(writer.openRows()).toBe(5);
  writer.append(smallBatch(3));
  expect(() => writer.seal(batch, plain(7))).toThrow(RangeError);
  await writer.seal(smallBatch(1), plain(9)).sealed;
  expect(writer.openRows()).toBe(0);
  const { ready } = await scanSpool(directory);
  expect(ready.map(({ rows, hasDelta }) => [rows, hasDelta])).toEqual([
    [0, true],
    [9, false],
  ]);
  const path = segmentPath(directory, ready[1] as Segment);
  expect((await readNativeColumns(path)).rows).toBe(9);
  const stored = COLUMNS.filter(({ stored }) => stored);
  const structure = stored.map(({ name, type }) => `${name} ${CLICKHOUSE_TYPES[type]}`).join(', ');
  const list = stored.map(({ name, type }) =>
    type === 'time' ? `toString(toUnixTimestamp64Nano(${name})) AS ${name}` : name,
  );
  const session = new Session();
  try {
    const read = (where: string) =>
      session
        .query(
          `SELECT ${list.join(', ')} FROM file('${path}', 'Native', '${structure.replaceAll("'", "\\'")}') ${where} SETTINGS output_format_json_quote_64bit_integers = 1`,
          'JSONEachRow',
        )
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(read('LIMIT 5')).toEqual(expected);
    expect(read('LIMIT 4 OFFSET 5').map(({ bytes, src_addr, as_path }) => [bytes, src_addr, as_path])).toEqual([
      ['1', '::', []],
      ['2', '::', []],
      ['3', '::', []],
      ['1', '::', []],
    ]);
  } finally {
    session.close();
  }
});

test('columns that hold nothing are left out, and an empty batch makes an empty file', async () => {
  const writer = await startWriter();
  writer.seal(smallBatch(3), plain(3));
  writer.seal(createBatch({ rowLimit: 1 }), {
    received: 7,
    rows: 0,
    dropped: [{ reason: 'spool_full', exporter: '192.0.2.1', records: 7 }],
  });
  await writer.flush();
  const { ready } = await scanSpool(directory);
  expect(ready.map(({ sequence, rows, hasDelta }) => [sequence, rows, hasDelta])).toEqual([
    [1, 3, false],
    [2, 0, true],
  ]);
  expect((await readNativeColumns(segmentPath(directory, ready[0] as Segment))).columns).toEqual([
    { name: 'bytes', type: 'UInt64' },
  ]);
  expect(ready[1]?.sizeBytes).toBe(0);
  expect(await readDelta(directory, ready[1] as Segment)).toEqual({
    received: 7,
    rows: 0,
    dropped: [{ reason: 'spool_full', exporter: '192.0.2.1', records: 7 }],
  });
  await removeSegment(directory, ready[1] as Segment);
  expect((await readdir(directory)).filter((name) => name.endsWith('.delta'))).toEqual([]);
});

test('segments are sealed in the order of the calls, under names that say what they are', async () => {
  const writer = await startWriter();
  for (let rows = 1; rows <= 20; rows++) writer.seal(smallBatch(rows), plain(rows));
  await writer.flush();
  const { ready, sizeBytes } = await scanSpool(directory);
  expect(ready.map(({ sequence, rows }) => [sequence, rows])).toEqual(
    Array.from({ length: 20 }, (_, i) => [i + 1, i + 1]),
  );
  expect(sizeBytes).toBe(writer.status().sealedBytes);
  for (const segment of ready) expect(parseSegmentName(formatSegmentName(segment))).toEqual(segment);
  expect(parseSegmentName('0_00000000000001_0000000001_r1_b2.tmp')).toBeNull();
});

test('a segment that was whole when its writer died is sealed at the next start, a shorter one is lost', async () => {
  const first = await startWriter();
  for (const rows of [1, 2, 3]) first.seal(smallBatch(rows), plain(rows));
  await first.stop();
  const { ready } = await scanSpool(directory);
  const reopen = (segment: Segment) =>
    rename(segmentPath(directory, segment), segmentPath(directory, { ...segment, state: 'open' }));
  await reopen(ready[1] as Segment);
  await reopen(ready[2] as Segment);
  await truncate(segmentPath(directory, { ...(ready[2] as Segment), state: 'open' }), 10);
  const second = await startWriter();
  expect(second.status().recovered).toEqual({ sealed: 1, lost: 1 });
  expect((await scanSpool(directory)).ready.map(({ sequence, state }) => [sequence, state])).toEqual([
    [1, 'native'],
    [2, 'native'],
    [3, 'lost'],
  ]);
});

test('a boot number is never used twice, even when the clock is set back', async () => {
  const first = await startWriter({ now: () => 5000 });
  await first.stop();
  const second = await startWriter({ now: () => 1000 });
  expect([first.status().boot, second.status().boot]).toEqual([5000, 5001]);
});

test('the writer is full past its budget and takes rows again when the store has made room', async () => {
  const writer = await startWriter({ max_bytes: 1024 * 1024, now: Date.now });
  expect(writer.full()).toBe(false);
  writer.seal(smallBatch(400_000), plain(400_000));
  expect(writer.full()).toBe(true);
  await writer.flush();
  expect(writer.full()).toBe(true);
  for (const segment of (await scanSpool(directory)).ready) await removeSegment(directory, segment);
  for (let waited = 0; writer.full() && waited < 5000; waited += 50)
    await new Promise((resolve) => setTimeout(resolve, 50));
  expect(writer.full()).toBe(false);
});

test('writes that fail are tried again, and drops of that time become one record', async () => {
  const errors: Error[] = [];
  const writer = createSpoolWriter(
    { directory, inlet: '0', max_in_flight: 2 },
    { onError: (error) => errors.push(error) },
  );
  await writer.start();
  writers.push(writer);
  await rm(directory, { recursive: true });
  writer.seal(smallBatch(4), plain(4));
  writer.seal(smallBatch(5), plain(5));
  expect(writer.full()).toBe(true);
  const drop = (records: number): LedgerDelta => ({
    received: records,
    rows: 0,
    dropped: [{ reason: 'spool_full', exporter: '192.0.2.1', records }],
  });
  for (const records of [1, 2, 3]) writer.seal(createBatch({ rowLimit: 1 }), drop(records));
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(errors.length).toBeGreaterThan(0);
  await createSpoolDirectory(directory);
  await writer.flush();
  const { ready } = await scanSpool(directory);
  expect(ready.map(({ rows }) => rows)).toEqual([4, 5, 0]);
  expect(await readDelta(directory, ready[2] as Segment)).toEqual(drop(6));
});

test('a truncated segment is never taken for a whole one', async () => {
  const writer = await startWriter();
  const { batch } = fullBatch(4);
  await writer.seal(batch, plain(4)).sealed;
  const [segment] = (await scanSpool(directory)).ready as [Segment];
  const path = segmentPath(directory, segment);
  for (let size = segment.sizeBytes - 1; size >= 0; size -= 7) {
    await truncate(path, size);
    await expect(readNativeColumns(path)).rejects.toThrow(RangeError);
  }
});
