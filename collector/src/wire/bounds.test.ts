import { COLUMNS } from '@ringflow/contract';
import fc from 'fast-check';
import { type Batch, type ColumnData, createBatch, itemsPerRow, resetBatch } from './batch.ts';
import { WIRE_DEFAULTS } from './config.ts';
import { createDecoder } from './decode.ts';
import { type Decoder, type Source, createDatagramInfo } from './decoder.ts';
import { readPcap } from './pcap.ts';
import { loadManifest, readCapture } from './testing/captures.ts';
import { data, ipfix, ipfixOptionsTemplate, ipfixTemplate, v9, v9Template } from './testing/netflow-packets.ts';

/**
 * No bytes make a decoder read outside its datagram or write outside its rows: every datagram is decoded twice, lying
 * in memory whose other bytes differ, into columns with guards behind the batch's capacity. `RINGFLOW_BOUNDS_RUNS` sets
 * how many (200,000 take some minutes).
 */
const RUNS = Number(process.env['RINGFLOW_BOUNDS_RUNS'] ?? 1500);
const NOW = 1_700_000_000_000;
const SOURCE: Source = { address: '192.0.2.1', words: new Uint32Array([0, 0, 0xffff0000, 0x010200c0]), port: 2055 };
/** Bytes around a datagram, items behind a column. */
const GUARD = 512;
const MOST_BYTES = 4096;
/** Rows that a batch has room for: the smallest datagrams can want more. */
const ROOM = MOST_BYTES * 2;

interface Reader {
  readonly decoder: Decoder;
  readonly batch: Batch;
  /** What its memory holds around the datagram. */
  readonly memory: Uint8Array;
}

/** Columns are windows into larger arrays, whose rest must stay as it is. */
function createGuardedBatch(): Batch {
  const batch = { ...createBatch({ rowLimit: 0, columns: COLUMNS }), capacity: ROOM };
  COLUMNS.forEach(({ type }, index) => {
    const items = ROOM * itemsPerRow(type);
    const make = type === 'u8' ? Uint8Array : type === 'u16' ? Uint16Array : Uint32Array;
    const whole = new make(items + GUARD);
    whole.fill(0xa5, items);
    batch.data[index] = whole.subarray(0, items) as ColumnData;
  });
  return batch;
}

function checkGuards({ batch }: Reader): void {
  COLUMNS.forEach(({ name, type }, index) => {
    const data = batch.data[index] as ColumnData;
    const items = ROOM * itemsPerRow(type);
    if (data.length !== items) throw new Error(`column ${name} was replaced`);
    const make = data.constructor as Uint32ArrayConstructor;
    const guard = new make(data.buffer as ArrayBuffer, items * data.BYTES_PER_ELEMENT, GUARD);
    if (!guard.every((item) => item === 0xa5)) throw new Error(`column ${name} was written behind its end`);
    const behind = data.subarray(batch.rows * itemsPerRow(type), (batch.rows + GUARD) * itemsPerRow(type));
    if (!behind.every((item) => item === 0)) throw new Error(`column ${name} was written behind the last row`);
  });
}

/** All that a decoder has made of a datagram. */
function contents({ batch }: Reader): Uint8Array {
  const parts = COLUMNS.map(({ type }, index) => {
    const used = (batch.data[index] as ColumnData).subarray(0, batch.rows * itemsPerRow(type));
    return new Uint8Array(used.buffer, used.byteOffset, used.byteLength);
  });
  const words = batch.words.subarray(0, batch.wordsLength);
  return Buffer.concat([
    ...parts,
    batch.arena.subarray(0, batch.arenaLength),
    new Uint8Array(words.buffer, words.byteOffset, words.byteLength),
  ]);
}

function createReaders(interpret: boolean): { feed(datagram: Uint8Array): number } {
  const options: string[][] = [[], []];
  const readers = [0x00, 0xff].map((filling, i): Reader => {
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
    const decoder = createDecoder(
      { ...WIRE_DEFAULTS, parking: { ...WIRE_DEFAULTS.parking, max_bytes: 1 << 18 }, sflow: { decapsulate: true } },
      {
        options: ({ fields }) => options[i]?.push(fields.map(({ id, bytes }) => `${id}:${hex(bytes)}`).join()),
        counters: ({ values }) => options[i]?.push(Object.entries(values).join()),
      },
      { interpret },
    );
    return { decoder, batch: createGuardedBatch(), memory: new Uint8Array(GUARD * 2 + MOST_BYTES).fill(filling) };
  });
  const infos = readers.map(() => createDatagramInfo());
  let now = NOW;
  return {
    feed(datagram) {
      now += 10;
      const results = readers.map((reader, i) => {
        const { memory, batch, decoder } = reader;
        const filling = i === 0 ? 0x00 : 0xff;
        memory.set(datagram, GUARD);
        const info = infos[i] as (typeof infos)[number];
        decoder.decode(memory.subarray(GUARD, GUARD + datagram.length), SOURCE, now, batch, info);
        checkGuards(reader);
        const made = { rows: batch.rows, bytes: contents(reader), losses: [...info.losses], records: info.records };
        resetBatch(batch);
        let replayed = 0;
        for (let rows = decoder.replay(batch, info); rows >= 0; rows = decoder.replay(batch, info)) {
          checkGuards(reader);
          replayed += rows;
          resetBatch(batch);
        }
        memory.fill(filling, GUARD, GUARD + datagram.length);
        if (!memory.every((byte) => byte === filling)) throw new Error('the decoder wrote into its input');
        return { ...made, replayed, said: options[i]?.splice(0) };
      });
      const [one, other] = results as [(typeof results)[number], (typeof results)[number]];
      if (Buffer.compare(one.bytes, other.bytes) !== 0) throw new Error('rows depend on what lies around the datagram');
      expect({ ...one, bytes: 0 }).toEqual({ ...other, bytes: 0 });
      return one.rows;
    },
  };
}

const manifest = loadManifest();
const samples: Uint8Array[] = [
  v9([
    v9Template(256, [
      [8, 4],
      [12, 4],
      [1, 4],
      [96, 65_535],
    ]),
    data(256, Array<number>(64).fill(3)),
  ]),
  ipfix([
    ipfixTemplate(256, [
      [8, 4],
      [315, 65_535],
      [70, 3],
    ]),
    data(256, Array<number>(64).fill(9)),
  ]),
  ipfix([
    ipfixOptionsTemplate(300, 1, [
      [10, 4],
      [82, 65_535],
    ]),
    data(300, Array<number>(40).fill(5)),
  ]),
  ...(manifest
    ? [...readPcap(readCapture(manifest, manifest.interleaved.pcap))].flatMap(({ payload }) =>
        payload.length <= MOST_BYTES ? [payload.slice()] : [],
      )
    : []),
];

/** A real datagram, changed in places, cut or continued with another one. */
const mutated = fc
  .record({
    sample: fc.nat(samples.length - 1),
    other: fc.nat(samples.length - 1),
    changes: fc.array(
      fc.record({ at: fc.nat(MOST_BYTES), value: fc.constantFrom(0, 1, 2, 3, 4, 5, 0x7f, 0x80, 0xfe, 0xff) }),
      { maxLength: 6 },
    ),
    cut: fc.oneof({ weight: 3, arbitrary: fc.constant(MOST_BYTES) }, fc.nat(400)),
    joined: fc.boolean(),
  })
  .map(({ sample, other, changes, cut, joined }) => {
    const first = samples[sample] as Uint8Array;
    const bytes = (
      joined
        ? Buffer.concat([first.subarray(0, cut), samples[other] as Uint8Array])
        : Buffer.from(first.subarray(0, cut))
    ).subarray(0, MOST_BYTES);
    // Framing stands at the beginning, mostly.
    for (const { at, value } of changes)
      if (bytes.length > 0) bytes[(at % 2 === 0 ? at % 64 : at) % bytes.length] = value;
    return new Uint8Array(bytes);
  });

/** Headers of each protocol with anything behind. */
const anything = fc
  .tuple(
    fc.constantFrom([0, 5], [0, 7], [0, 9], [0, 10], [0, 0, 0, 5, 0, 0, 0, 1], [0, 0, 0, 5, 0, 0, 0, 2], []),
    fc.uint8Array({ maxLength: 300 }),
  )
  .map(([head, rest]) => Uint8Array.from([...head, ...rest]));

test.each([
  ['generated code', false],
  ['interpreter', true],
])(
  'X01 %s: nothing outside the datagram is read, nothing outside the rows is written',
  (_, interpret) => {
    const readers = createReaders(interpret);
    // Templates first, so that mutated data meets them.
    let rows = 0;
    for (const sample of samples) rows += readers.feed(sample);
    fc.assert(
      fc.property(fc.oneof({ weight: 4, arbitrary: mutated }, anything), (datagram) => {
        rows += readers.feed(datagram);
      }),
      { numRuns: Math.ceil(RUNS / 2), seed: 20_261_121, endOnFailure: true },
    );
    expect(rows).toBeGreaterThan(100);
  },
  3_600_000,
);
