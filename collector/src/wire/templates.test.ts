import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { QUALITY } from '@ringflow/contract';
import { createBatch } from './batch.ts';
import { WIRE_DEFAULTS } from './config.ts';
import { createDecoder } from './decode.ts';
import { createDatagramInfo } from './decoder.ts';
import { NOW, bench, from, router } from './testing/decoder-bench.ts';
import {
  data,
  ipfix,
  ipfixOptionsTemplate,
  ipfixTemplate,
  u64,
  v9,
  v9OptionsTemplate,
  v9Template,
} from './testing/netflow-packets.ts';
import { bytes, u16, u32 } from './testing/packets.ts';

const BYTES_PACKETS = [
  [1, 4],
  [2, 4],
] as const;
const PACKETS_BYTES = [
  [2, 4],
  [1, 4],
] as const;
const both = bytes(u32(100), u32(3));

test('T04 a redefinition holds from its place in the datagram on, options templates too', () => {
  const b = bench();
  const rows = b.take(
    v9([v9Template(256, BYTES_PACKETS), data(256, both), v9Template(256, PACKETS_BYTES), data(256, both)]),
  );
  expect(rows.map((row) => [row.bytes, row.packets])).toEqual([
    [100n, 3n],
    [3n, 100n],
  ]);
  expect(b.take(v9([v9OptionsTemplate(256, [[1, 4]], [[41, 4]]), data(256, both)]))).toEqual([]);
  expect(b.options.map((record) => record.fields.map((field) => field.name))).toEqual([
    ['scope.System', 'exportedMessageTotalCount'],
  ]);
});

test('T05 an identical template is no new template', () => {
  const b = bench();
  b.take(v9([v9Template(256, BYTES_PACKETS)]));
  expect([b.info.templates, b.info.templatesSeen]).toEqual([1, 1]);
  b.decoder.takeChanges();
  b.take(v9([v9Template(256, BYTES_PACKETS)]));
  expect([b.info.templates, b.info.templatesSeen, b.decoder.takeChanges().size]).toEqual([0, 1, 0]);
});

test('T06 a withdrawal over UDP is ignored', () => {
  const b = bench();
  b.take(ipfix([ipfixTemplate(256, BYTES_PACKETS)]));
  const rows = b.take(ipfix([ipfixTemplate(256, []), bytes(u16(2), u16(8), u16(2), u16(0)), data(256, both)]));
  expect([rows.length, b.losses('template_withdrawal')]).toEqual([1, 2]);
});

test('T07 an invalid redefinition drops the old one', () => {
  const b = bench();
  b.take(v9([v9Template(256, BYTES_PACKETS)]));
  const rows = b.take(
    v9([
      v9Template(256, [
        [1, 0],
        [2, 0],
      ]),
      data(256, both),
    ]),
  );
  expect([rows.length, b.losses('bad_template'), b.losses('template_missing')]).toEqual([0, 1, 1]);
});

test('T08 T09 data before its template waits for it, with its own arrival and export time', () => {
  const b = bench();
  expect(b.take(v9([data(256, both)], { seconds: 1_699_999_000, sequence: 1 }), router, NOW - 1000)).toEqual([]);
  expect(b.info.units).toBe(1);
  b.take(v9([v9Template(256, BYTES_PACKETS)], { sequence: 2, uptimeMs: 2_000_000 }));
  const rows = b.replay();
  expect(rows.map((row) => [row.bytes, row.time_received_ns, row.time_flow_end_ns, row.sequence_num])).toEqual([
    [100n, BigInt(NOW - 1000) * 1_000_000n, 1_699_999_000_000_000_000n, 1],
  ]);
  expect(b.decoder.stats()).toMatchObject({ parkedTotal: 1, replayedTotal: 1, parkedSets: 0, parkedBytes: 0 });
});

test('T10 parked data belongs to the first definition that comes after it', () => {
  const b = bench();
  b.take(v9([data(256, both)]));
  b.take(v9([v9Template(256, BYTES_PACKETS), v9Template(256, PACKETS_BYTES)], { sequence: 2 }));
  expect(b.replay().map((row) => row.bytes)).toEqual([100n]);
});

test('T10 T13 T14 a restart discards parked data and templates, not those of its own datagram', () => {
  const b = bench();
  b.take(v9([v9Template(256, BYTES_PACKETS), data(300, both)], { uptimeMs: 500_000_000, seconds: 1_700_000_000 }));
  const rows = b.take(
    v9([v9Template(257, BYTES_PACKETS), data(257, both), data(256, both)], {
      uptimeMs: 30_000,
      seconds: 1_700_000_100,
      sequence: 1,
    }),
  );
  expect([b.info.restarted, rows.length, b.losses('template_missing')]).toEqual([true, 1, 1]);
  b.take(v9([v9Template(300, BYTES_PACKETS)], { uptimeMs: 31_000, seconds: 1_700_000_101 }));
  expect(b.replay()).toEqual([]);
  expect(b.decoder.stats()).toMatchObject({ discardedTotal: 1, parkedSets: 1 });
});

test('C02 T14 the wrap of the uptime is no restart', () => {
  const b = bench();
  b.take(v9([v9Template(256, BYTES_PACKETS)], { uptimeMs: 0xffffffff - 1000, seconds: 1_700_000_000 }));
  const rows = b.take(v9([data(256, both)], { uptimeMs: 59_000, seconds: 1_700_000_060 }));
  expect([b.info.restarted, rows.length]).toEqual([false, 1]);
});

test('T14 an IPFIX exporter restarted when its boot time and its sequence began anew', () => {
  const b = bench();
  const optionsTemplate = ipfixOptionsTemplate(400, 1, [
    [149, 4],
    [160, 8],
  ]);
  b.take(
    ipfix([ipfixTemplate(256, BYTES_PACKETS), optionsTemplate, data(400, bytes(u32(7), u64(NOW - 1e9)))], {
      sequence: 50_000,
    }),
  );
  b.take(ipfix([optionsTemplate, data(400, bytes(u32(7), u64(NOW - 5000))), data(256, both)], { sequence: 0 }));
  expect([b.info.restarted, b.losses('template_missing'), b.info.units]).toEqual([true, 1, -1]);
});

test('T11 a template that is not used and not repeated is forgotten, one in use is not', () => {
  const b = bench();
  b.take(v9([v9Template(256, BYTES_PACKETS), v9Template(257, BYTES_PACKETS)]));
  b.take(v9([data(256, both)]), router, NOW + 80_000_000);
  b.decoder.expire(NOW + 90_000_000);
  expect(b.decoder.stats().templates).toBe(1);
  expect(b.take(v9([data(256, both)]), router, NOW + 90_000_000)).toHaveLength(1);
});

test('T08 parked sets are bounded by bytes and age', () => {
  const b = bench({
    ...WIRE_DEFAULTS,
    parking: { max_bytes: 2000, max_bytes_per_template: 1000, max_age_seconds: 60 },
  });
  for (let i = 0; i < 10; i++) b.take(v9([data(256, both)]));
  expect(b.decoder.stats().parkedBytes).toBeLessThanOrEqual(1000);
  for (let id = 300; id < 320; id++) b.take(v9([data(id, both)]));
  const stats = b.decoder.stats();
  expect(stats.parkedBytes).toBeLessThanOrEqual(2000);
  expect(stats.parkedTotal).toBe(stats.evictedTotal + stats.parkedSets);
  expect(b.decoder.expire(NOW + 61_000)).toBe(stats.parkedSets);
  expect(b.decoder.stats()).toMatchObject({ parkedSets: 0, parkedBytes: 0, expiredTotal: stats.parkedSets });
});

test('T03 parked data takes a template of another port when its own does not come', () => {
  const b = bench();
  b.take(v9([data(256, both)]), from(1, 3000));
  b.take(v9([v9Template(256, BYTES_PACKETS)]), from(1, 3001));
  expect(b.replay()).toEqual([]);
  b.decoder.expire(NOW + 31_000);
  expect(b.replay().map((row) => [row.bytes, Number(row.quality) & QUALITY.template_fallback])).toEqual([
    [100n, QUALITY.template_fallback],
  ]);
});

test('T12 templates and sampling survive a restart of the collector', () => {
  const before = bench();
  before.take(
    v9(
      [v9Template(256, BYTES_PACKETS), v9OptionsTemplate(257, [[1, 4]], [[34, 4]]), data(257, bytes(u32(0), u32(500)))],
      { uptimeMs: 9_000_000 },
    ),
  );
  const saved = JSON.parse(JSON.stringify([...before.decoder.takeChanges()])) as [string, unknown][];
  const after = bench();
  after.decoder.restore([...saved, ['t|9|nonsense', { fields: 'x' }], ['t|9|1.2.3.4|1|1|256', null]], NOW);
  expect(after.decoder.takeChanges().size).toBe(0);
  const rows = after.take(v9([data(256, both)], { uptimeMs: 9_060_000, seconds: 1_700_000_060 }), from(1));
  expect(rows.map((row) => [row.bytes, row.sampling_rate])).toEqual([[100n, 500]]);

  const rebooted = bench();
  rebooted.decoder.restore(saved, NOW);
  expect(rebooted.take(v9([data(256, both)], { uptimeMs: 9_500_000, seconds: 1_700_090_000 }), from(1), NOW)).toEqual(
    [],
  );
  expect([rebooted.info.restarted, rebooted.losses('template_missing')]).toEqual([true, 1]);
});

test('T15 ids below 256 are no templates, a zero word is padding', () => {
  const b = bench();
  b.take(v9([v9Template(255, BYTES_PACKETS)]));
  expect(b.losses('bad_template')).toBe(1);
  b.take(v9([bytes(u16(0), u16(20), u16(256), u16(1), u16(1), u16(4), u32(0), u32(0))]));
  expect([b.losses('bad_template'), b.decoder.stats().templates]).toEqual([0, 1]);
});

test('T19 an IPFIX options template without scope is malformed', () => {
  const b = bench();
  b.take(ipfix([ipfixOptionsTemplate(256, 0, [[41, 4]])]));
  expect([b.losses('bad_template'), b.decoder.stats().templates]).toEqual([1, 0]);
});

test('X02 a flood from many addresses takes no template that has decoded anything', () => {
  const b = bench({ ...WIRE_DEFAULTS, templates: { ...WIRE_DEFAULTS.templates, max_per_exporter: 10, max_total: 50 } });
  b.take(v9([v9Template(256, BYTES_PACKETS), data(256, both)]));
  for (let i = 2; i < 200; i++) b.take(v9([v9Template(256, BYTES_PACKETS)], { domain: i }), from(i));
  for (let id = 256; id < 400; id++) b.take(v9([v9Template(id, PACKETS_BYTES)]), from(250));
  expect(b.decoder.stats().templates).toBeLessThanOrEqual(50);
  expect(b.take(v9([data(256, both)]))).toHaveLength(1);
});

test('X02 a flood that sends records with its templates takes no template that was used for a while', () => {
  const b = bench({ ...WIRE_DEFAULTS, templates: { ...WIRE_DEFAULTS.templates, max_per_exporter: 10, max_total: 50 } });
  const honest = [v9Template(256, BYTES_PACKETS), v9Template(257, PACKETS_BYTES), data(256, both), data(257, both)];
  b.take(v9(honest), router, NOW);
  b.take(v9([data(256, both), data(257, both)]), router, NOW + 6000);
  for (let i = 2; i < 250; i++)
    b.take(v9([v9Template(256, BYTES_PACKETS), data(256, both)], { domain: i }), from(i), NOW + 6000);
  expect(b.decoder.stats().templates).toBeLessThanOrEqual(50);
  expect(b.take(v9([data(256, both), data(257, both)]), router, NOW + 7000)).toHaveLength(2);
});

test('X02 a template that was replaced before its parked data was decoded is not given up twice', () => {
  const b = bench({ ...WIRE_DEFAULTS, templates: { ...WIRE_DEFAULTS.templates, max_total: 50 } });
  b.take(v9([data(256, both)]));
  b.take(v9([v9Template(256, BYTES_PACKETS), v9Template(256, PACKETS_BYTES)], { sequence: 2 }));
  expect(b.replay()).toHaveLength(1);
  for (let i = 2; i < 200; i++) b.take(v9([v9Template(256, BYTES_PACKETS)], { domain: i }), from(i));
  expect(b.decoder.stats().templates).toBe(50);
});

test('X02 templates are bounded by their fields, too', () => {
  const b = bench({ ...WIRE_DEFAULTS, templates: { ...WIRE_DEFAULTS.templates, max_total: 50 } });
  const wide = Array.from({ length: 500 }, () => [1, 4] as const);
  for (let i = 2; i < 20; i++) b.take(v9([v9Template(256, wide)], { domain: i }), from(i));
  expect(b.decoder.stats().templates).toBe(3);
});

test('X02 options are handed out for keeping once, however many records changed them', () => {
  const b = bench();
  const template = v9OptionsTemplate(256, [[2, 4]], [[34, 4]]);
  const records = Array.from({ length: 4000 }, (_, i) => bytes(u32(i + 1), u32(i + 2)));
  b.take(v9([template, data(256, bytes(...records))]));
  const kept = [...b.decoder.takeChanges()].filter(([key]) => key.startsWith('o|'));
  expect(
    kept.map(([, value]) => (value as { sampling: { interfaces: unknown[] } }).sampling.interfaces.length),
  ).toEqual([4000]);
  expect(b.decoder.takeChanges().size).toBe(0);
});

test('X02 an exporter that names another domain in each datagram costs no memory', () => {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  const decoder = createDecoder(WIRE_DEFAULTS, { options: () => undefined, counters: () => undefined });
  const batch = createBatch({ rowLimit: 1 });
  const info = createDatagramInfo();
  const datagram = ipfix([data(256, both)]);
  const view = new DataView(datagram.buffer, datagram.byteOffset);
  const inUseMiB = (): number => {
    collect();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  const spray = (fromDomain: number, toDomain: number): void => {
    for (let domain = fromDomain; domain < toDomain; domain++) {
      view.setUint32(12, domain);
      decoder.decode(datagram, router, NOW, batch, info);
    }
  };
  spray(0, 50_000);
  const beforeMiB = inUseMiB();
  spray(50_000, 250_000);
  expect(inUseMiB() - beforeMiB).toBeLessThan(20);
});

test('X02 too many fields, and records that are too long, are refused', () => {
  const b = bench();
  b.take(
    v9([
      v9Template(
        256,
        Array.from({ length: 1001 }, () => [1, 4] as const),
      ),
      v9Template(257, [
        [96, 65_534],
        [96, 65_534],
      ]),
    ]),
  );
  expect([b.losses('limit_fields'), b.decoder.stats().templates]).toEqual([2, 0]);
});
