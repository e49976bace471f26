import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COLUMNS, type LedgerDelta, type TakenBatch } from '@ringflow/contract';
import { CHAIN_START, createIngest, formatLink, nextLink, type Delivery, type IngestSource } from '../ingest/index.ts';
import { createSpoolWriter } from '../spool/index.ts';
import { appendPacked, createBatch, resetBatch } from '../wire/index.ts';
import { createIntake, type Intake } from './intake.ts';

const STORED = COLUMNS.filter(({ stored }) => stored);
let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'ringflow-intake-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

interface World {
  readonly intake: Intake;
  readonly deltas: LedgerDelta[];
  take(
    records: readonly object[],
    source?: IngestSource,
  ): Promise<{ repeated: number; stored: number; dropped: number }>;
}

/** The way of a body from its text to a segment in the spool. */
async function open(taken: readonly TakenBatch[] = [], full = { is: false }): Promise<World> {
  const deltas: LedgerDelta[] = [];
  const spool = createSpoolWriter({ directory, inlet: 'http', min_free_bytes: 0 });
  const intake = createIntake({
    batch: createBatch({ rowLimit: 1000, columns: STORED }),
    append: appendPacked,
    reset: resetBatch,
    enrich: () => undefined,
    book: () => undefined,
    spool: { ...spool, full: () => full.is || spool.full() },
    taken: async () => taken,
    onSealed: (_, __, delta) => deltas.push(delta),
  });
  await intake.start();
  const ingest = createIngest(
    { max_records: 1000, max_waiting_bytes: 1e6 },
    { columns: STORED, deliver: (delivery: Delivery) => intake.take(delivery), now: Date.now },
  );
  return {
    intake,
    deltas,
    take: async (records, source) => {
      const text = records.map((record) => JSON.stringify(record)).join('\n');
      const { repeated, stored, dropped } = await ingest.take(new TextEncoder().encode(text), source ?? null);
      return { repeated, stored, dropped };
    },
  };
}

const records = (from: number, to: number): object[] =>
  Array.from({ length: to - from }, (_, index) => ({
    sequence_num: from + index,
    bytes: 100 + from + index,
    src_addr: '10.0.0.1',
    sampler_address: '192.0.2.1',
  }));

/** The link after these records. */
function linkOf(list: readonly object[]): Uint8Array {
  return list.reduce<Uint8Array>(
    (link, record) => nextLink(link, new TextEncoder().encode(JSON.stringify(record))),
    CHAIN_START,
  );
}

test('a batch is on disk when it is acknowledged, and known when it comes again', async () => {
  const { intake, take, deltas } = await open();
  expect(await take(records(0, 10))).toEqual({ repeated: 0, stored: 10, dropped: 0 });
  expect(readdirSync(directory).filter((name) => name.endsWith('.native'))).toHaveLength(1);
  expect(await take(records(0, 10))).toEqual({ repeated: 10, stored: 0, dropped: 0 });
  // goflow2's HTTP transport keeps a batch that was refused and sends it with the records that came since.
  expect(await take(records(0, 13))).toEqual({ repeated: 10, stored: 3, dropped: 0 });
  expect(await take(records(1, 10))).toEqual({ repeated: 0, stored: 9, dropped: 0 });
  await intake.stop();
  expect(deltas.map(({ received, rows }) => [received, rows])).toEqual([
    [10, 10],
    [3, 3],
    [9, 9],
  ]);
});

test('the same batch twice at the same time is taken once, and both are answered when it is safe', async () => {
  const { intake, take } = await open();
  await take(records(0, 1));
  const answers = await Promise.all([take(records(5, 9)), take(records(5, 9)), take(records(20, 21))]);
  expect(answers).toEqual([
    { repeated: 0, stored: 4, dropped: 0 },
    { repeated: 4, stored: 0, dropped: 0 },
    { repeated: 0, stored: 1, dropped: 0 },
  ]);
  await intake.stop();
});

test('what was taken is known after a restart, from the delta of the segment', async () => {
  const first = await open();
  await first.take([...records(0, 2), { kind: 'options' }, ...records(2, 3)]);
  await first.intake.stop();
  const [name] = readdirSync(directory).filter((file) => file.endsWith('.delta'));
  const delta = JSON.parse(readFileSync(join(directory, name as string), 'utf8')) as LedgerDelta;
  expect(delta).toMatchObject({
    received: 4,
    rows: 3,
    dropped: [{ reason: 'not_understood', exporter: 'unknown', records: 1 }],
    taken: [{ source: '', records: 4 }],
  });
  const second = await open(delta.taken);
  expect(await second.take([...records(0, 2), { kind: 'options' }, ...records(2, 4)])).toEqual({
    repeated: 4,
    stored: 1,
    dropped: 0,
  });
  await second.intake.stop();
});

test('a source goes on where it stopped, and only there', async () => {
  const { intake, take } = await open();
  const source = (offset: number, link = linkOf(records(0, offset))) => ({ id: 'file', offset, link });
  expect(await take(records(0, 5), source(0))).toEqual({ repeated: 0, stored: 5, dropped: 0 });
  expect(await take(records(5, 8), source(5))).toEqual({ repeated: 0, stored: 3, dropped: 0 });
  expect(await take(records(0, 5), source(0))).toEqual({ repeated: 5, stored: 0, dropped: 0 });
  expect(await take(records(5, 10), source(5))).toEqual({ repeated: 3, stored: 2, dropped: 0 });
  expect(intake.progress('file')).toEqual({ records: 10, link: formatLink(linkOf(records(0, 10))) });
  expect(intake.progress('other')).toEqual({ records: 0, link: '' });
  for (const [batch, from] of [
    [records(12, 13), source(12)],
    [records(90, 91), source(10, linkOf(records(80, 90)))],
    [records(90, 97), source(5)],
  ] as const) {
    await expect(take(batch, from)).rejects.toMatchObject({ code: 'ingest_conflict', status: 409 });
  }
  await intake.stop();
});

test('a full spool takes nothing, and counts nothing', async () => {
  const full = { is: true };
  const { intake, take, deltas } = await open([], full);
  await expect(take(records(0, 5))).rejects.toMatchObject({ code: 'ingest_unavailable', status: 503 });
  full.is = false;
  expect(await take(records(0, 5))).toEqual({ repeated: 0, stored: 5, dropped: 0 });
  await intake.stop();
  expect(deltas).toHaveLength(1);
  await expect(take(records(7, 8))).rejects.toMatchObject({ code: 'ingest_unavailable' });
});
