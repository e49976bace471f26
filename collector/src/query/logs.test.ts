import { logContextQuery, logVolumeQueries, nameId, RECORD_SEVERITIES, type DataFrameJson } from '@ringflow/contract';
import { createTestStore, sum, valuesOf, type TestStore } from './testing/store.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const T0 = Date.UTC(2026, 0, 10);
const BOT = nameId('bot');

let store: TestStore | undefined;
beforeAll(async () => {
  store = await createTestStore();
  const common = { packets: 3, sampling_rate: 1, sampler_address: '::ffff:192.0.2.1', proto: 6, tcp_flags: 2 };
  const talk = { ...common, src_addr: '::ffff:10.0.0.1', dst_addr: '2001:db8::9', dst_port: 443 };
  await store.insert([
    { ...talk, startMs: T0, endMs: T0 + 1000, bytes: 100, src_port: 1111 },
    { ...talk, startMs: T0, endMs: T0 + MINUTE, bytes: 200, src_port: 2222, dst_threat: BOT },
    {
      ...talk,
      startMs: T0,
      endMs: T0 + 2 * MINUTE,
      bytes: 300,
      src_port: 3333,
      forwarding_status: 130,
      src_threat: BOT,
    },
    { ...talk, startMs: T0, endMs: T0 + 3 * MINUTE, bytes: 400, src_port: 4444, fw_event: 3 },
    {
      ...common,
      startMs: T0,
      endMs: T0 + 4 * MINUTE,
      bytes: 500,
      src_addr: '::ffff:10.0.0.1',
      dst_addr: '::ffff:10.0.0.3',
      dup: 1,
    },
  ]);
});
afterAll(async () => store?.close());

const ask = (query: object, fromMs = T0, toMs = T0 + HOUR): Promise<DataFrameJson[]> =>
  (store as TestStore).ask(query, fromMs, toMs);

test('records as lines of a log: time, text, severity, id and the fields of each', async () => {
  const [frame] = await ask({ kind: 'records', format: 'logs', columns: ['src_addr'] });
  expect(frame?.schema.meta).toMatchObject({
    type: 'log-lines',
    typeVersion: [0, 0],
    preferredVisualisationType: 'logs',
  });
  expect(frame?.schema.fields.map(({ name, type }) => [name, type])).toEqual([
    ['timestamp', 'time'],
    ['body', 'string'],
    ['severity', 'string'],
    ['id', 'string'],
    ['labels', 'other'],
  ]);
  expect(valuesOf(frame, 'timestamp')).toEqual([4, 3, 2, 1].map((minute) => T0 + minute * MINUTE).concat(T0 + 1000));
  expect(valuesOf<string>(frame, 'body')[4]).toBe(
    'TCP 10.0.0.1:1111 → [2001:db8::9]:443 [SYN] 3 packets 100 bytes via 192.0.2.1',
  );
  expect(valuesOf<string>(frame, 'severity')).toEqual(['info', 'error', 'error', 'warning', 'info']);
  expect(new Set(valuesOf<string>(frame, 'id')).size).toBe(5);
  expect(valuesOf<object>(frame, 'labels')[4]).toMatchObject({ src_addr: '10.0.0.1', dst_port: '443', proto: 'TCP' });
});

test('both: the log, and the table with the columns that were asked for', async () => {
  const [logs, table] = await ask({ kind: 'records', format: 'both', columns: ['src_addr', 'bytes'], limit: 2 });
  expect(logs?.schema.meta.type).toBe('log-lines');
  expect(table?.schema.meta.preferredVisualisationType).toBe('table');
  expect(table?.schema.fields.map(({ name }) => name)).toEqual(['src_addr', 'bytes']);
  expect(valuesOf(table, 'bytes')).toEqual([500, 400]);
  expect([logs, table].map((frame) => frame?.schema.meta.notices.length)).toEqual([1, 0]);
});

test('the volume by severity adds up to all records of the filter', async () => {
  const filter = 'src_addr = 10.0.0.1';
  const queries = logVolumeQueries({ refId: 'A', kind: 'records', filter });
  expect(queries.map(({ level }) => level)).toEqual([...RECORD_SEVERITIES]);
  const volumes = await Promise.all(queries.map(async ({ query }) => sum(valuesOf((await ask(query))[0], 'flows'))));
  expect(volumes).toEqual([2, 1, 2]);
  const [records] = await ask({ kind: 'records', filter });
  expect(records?.schema.meta.custom.total).toBe(5);
});

test('the context of a line is what its two hosts did before and after, nearest first', async () => {
  const [frame] = await ask({ kind: 'records', format: 'logs', filter: 'src_port = 2222' });
  const labels = valuesOf<Record<string, string>>(frame, 'labels')[0] as Record<string, string>;
  const at = valuesOf(frame, 'timestamp')[0] as number;
  const lines = async (direction: 'backward' | 'forward'): Promise<string[]> => {
    const { query, fromMs, toMs } = logContextQuery(labels, at, direction);
    const [context] = await ask(query, fromMs, toMs);
    return valuesOf<Record<string, string>>(context, 'labels').map((one) => one['src_port'] as string);
  };
  expect(await lines('backward')).toEqual(['1111']);
  expect(await lines('forward')).toEqual(['3333', '4444']);
});
