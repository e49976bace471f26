import { addressWords, parseAddress, QUALITY } from '@ringflow/contract';
import { createBatch, createDatagramInfo, createDecoder, WIRE_DEFAULTS, type Batch } from '../wire/index.ts';
import {
  data,
  ipfix,
  ipfixOptionsTemplate,
  ipfixTemplate,
  v9,
  v9OptionsTemplate,
  v9Template,
  type FieldSpec,
} from '../wire/testing/netflow-packets.ts';
import { bytes, u16, u32 } from '../wire/testing/packets.ts';
import { ENRICH_COLUMNS } from './index.ts';
import { createSamplingStep } from './sampling.ts';
import { numbersOf } from './testing/batch.ts';

interface Settings {
  readonly default?: number;
  readonly override?: Readonly<Record<string, number>>;
}

/** Datagrams of one exporter, decoded and given their rates. */
function decoded(datagrams: readonly Uint8Array[], settings: Settings = {}): Batch {
  const decoder = createDecoder(WIRE_DEFAULTS, { options: () => undefined, counters: () => undefined });
  const batch = createBatch({ rowLimit: 100, columns: ENRICH_COLUMNS });
  const source = { address: '192.0.2.1', words: addressWords(parseAddress('192.0.2.1') as Uint8Array), port: 2055 };
  for (const datagram of datagrams) decoder.decode(datagram, source, 1_700_000_000_000, batch, createDatagramInfo());
  createSamplingStep(settings.default ?? 0, settings.override ?? {}).step(batch, 0, batch.rows);
  return batch;
}

const rates = (datagrams: readonly Uint8Array[], settings: Settings = {}): number[] =>
  numbersOf(decoded(datagrams, settings), 'sampling_rate');

/** 700 bytes in 7 packets, and more fields. */
const COUNTERS: readonly FieldSpec[] = [
  [1, 4],
  [2, 4],
];
const counters = bytes(u32(700), u32(7));
const v9Flow = (fields: readonly FieldSpec[] = [], more: readonly number[] = []): Uint8Array =>
  v9([v9Template(256, [...COUNTERS, ...fields]), data(256, [...counters, ...more])]);

/** Sampler 3 samples one in 50, sampler 4 one in 60. */
const v9Samplers = v9([
  v9OptionsTemplate(
    300,
    [[1, 4]],
    [
      [48, 1],
      [50, 4],
    ],
  ),
  data(300, bytes(u32(0), 3, u32(50)), bytes(u32(0), 4, u32(60))),
]);
/** The exporter as a whole samples one in 70. */
const v9Wide = v9([v9OptionsTemplate(301, [[1, 4]], [[34, 4]]), data(301, bytes(u32(0), u32(70)))]);

function v5(interval: number): Uint8Array {
  const record = Array.from({ length: 48 }, () => 0);
  record.splice(16, 8, ...u32(7), ...u32(700));
  const header = bytes(u16(5), u16(1), u32(1000), u32(1_700_000_000), u32(0), u32(1), u16(0), u16(interval));
  return Uint8Array.from([...header, ...record]);
}

const OVERRIDE = { override: { '192.0.2.0/24': 1000 } };
const DEFAULT = { default: 200 };

test.each<[string, readonly Uint8Array[], number]>([
  ['a record with its own rate (34)', [v9Wide, v9Flow([[34, 4]], u32(9))], 9],
  [
    '(305 + 306) / 305',
    [
      v9Wide,
      v9Flow(
        [
          [305, 4],
          [306, 4],
        ],
        bytes(u32(1), u32(999)),
      ),
    ],
    1000,
  ],
  [
    '310 / 309',
    [
      v9Wide,
      v9Flow(
        [
          [309, 4],
          [310, 4],
        ],
        bytes(u32(2), u32(512)),
      ),
    ],
    256,
  ],
  ['options data for its sampler (48)', [v9Wide, v9Samplers, v9Flow([[48, 1]], [4])], 60],
  ['options data for its exporter', [v9Wide, v9Samplers, v9Flow()], 70],
  ['a sampler that is not known: that of the exporter', [v9Wide, v9Samplers, v9Flow([[48, 1]], [5])], 70],
  ['NetFlow v5, mode 1', [v5(0x4000 + 100)], 100],
  ['NetFlow v5, mode 3, the largest interval', [v5(0xffff)], 0x3fff],
  ['NetFlow v5 of Juniper, mode 0', [v5(1000)], 1000],
  ['NetFlow v5 that says 0', [v5(0)], 1],
])('5.7 %s; the default changes nothing, the override replaces it', (_name, datagrams, rate) => {
  expect(rates(datagrams)).toEqual([rate]);
  expect(rates(datagrams, DEFAULT)).toEqual([rate]);
  expect(rates(datagrams, { ...OVERRIDE, ...DEFAULT })).toEqual([1000]);
});

test('5.7 options data for a selector (302) of IPFIX', () => {
  const selectors = ipfix([
    ipfixOptionsTemplate(300, 1, [
      [302, 8],
      [305, 4],
      [306, 4],
    ]),
    data(300, bytes(u32(0), u32(11), u32(1), u32(2047))),
  ]);
  const flow = ipfix([ipfixTemplate(256, [...COUNTERS, [302, 8]]), data(256, bytes(counters, u32(0), u32(11)))]);
  expect(rates([selectors, flow], DEFAULT)).toEqual([2048]);
});

test('5.7 nobody says a rate: the default, or 1 with a flag', () => {
  const known = decoded([v9Flow()], DEFAULT);
  expect([numbersOf(known, 'sampling_rate'), numbersOf(known, 'quality')[0]! & QUALITY.sampling_unknown]).toEqual([
    [200],
    0,
  ]);
  const unknown = decoded([v9Flow()]);
  // 0 is stored for "not known"; whoever scales takes it for 1.
  expect(numbersOf(unknown, 'sampling_rate')).toEqual([0]);
  expect(numbersOf(unknown, 'quality')[0]! & QUALITY.sampling_unknown).not.toBe(0);
});

test('5.7 counters stay as they were sent, whatever the rate', () => {
  for (const settings of [{}, DEFAULT, OVERRIDE]) {
    const batch = decoded([v9Flow([[34, 4]], u32(9)), v5(100)], settings);
    expect([numbersOf(batch, 'bytes'), numbersOf(batch, 'packets')]).toEqual([
      [700, 700],
      [7, 7],
    ]);
  }
});
