import { addressWords, COLUMNS, parseAddress } from '@ringflow/contract';
import {
  createBatch,
  createDatagramInfo,
  createDecoder,
  itemsPerRow,
  resetBatch,
  WIRE_DEFAULTS,
  type Batch,
  type Decoder,
  type Source,
} from '../collector/src/wire/index.ts';
import { describeMachine, formatSpread, mainThreadSeconds, median, option, printTable, untilQuiet } from './measure.ts';
import { buildTraffic, PROTOCOLS, type Protocol, type Traffic } from './traffic.ts';

/**
 * Pure decode: datagrams in memory to column buffers, all stored columns, one thread. Emptying the batch is part of
 * it. Before anything is timed, the generated functions' columns are compared with those of the interpreter.
 */

/** As many as one system call reads: still in the processor's cache, as if just received. */
const DATAGRAMS = 256;
/** Rows until the batch is emptied. */
const ROW_LIMIT = 16_384;
const EXPORT_MS = 1_795_217_400_000;

const source: Source = {
  address: '192.0.2.1',
  port: 2055,
  words: addressWords(parseAddress('192.0.2.1') as Uint8Array),
};

interface Case {
  readonly name: string;
  readonly traffic: Traffic;
  /** All datagrams one after the other, as a receiver has them. */
  readonly bytes: readonly Uint8Array[];
  readonly records: number;
}

function makeCase(protocol: Protocol, mixed: boolean): Case {
  const traffic = buildTraffic(protocol, { datagrams: DATAGRAMS, exportMs: EXPORT_MS, mixed });
  const slot = 2048;
  const buffer = new Uint8Array(DATAGRAMS * slot);
  const bytes = traffic.datagrams.map((datagram, index) => {
    buffer.set(datagram, index * slot);
    return buffer.subarray(index * slot, index * slot + datagram.length);
  });
  const records = traffic.claims.reduce((sum, claim) => sum + claim.records, 0);
  const fields = { netflow5: '', netflow9: ', 20 fields', ipfix: ', 18 fields', sflow: ', 128-byte headers' }[protocol];
  return { name: `${protocol}${fields}${mixed ? ', IPv4 and IPv6' : ''}`, traffic, bytes, records };
}

function prepare(traffics: readonly Traffic[], interpret: boolean): Decoder {
  const decoder = createDecoder(WIRE_DEFAULTS, { options: () => undefined, counters: () => undefined }, { interpret });
  const batch = createBatch({ rowLimit: 1 });
  for (const { templates } of traffics)
    if (templates) decoder.decode(templates, source, EXPORT_MS, batch, createDatagramInfo());
  return decoder;
}

/** Throws when the two ways to decode do not give the same columns. */
function guard({ name, traffic, bytes, records }: Case): void {
  const [fast, slow] = [false, true].map((interpret): Batch => {
    const decoder = prepare([traffic], interpret);
    const batch = createBatch({ rowLimit: records });
    const info = createDatagramInfo();
    for (const datagram of bytes) decoder.decode(datagram, source, EXPORT_MS, batch, info);
    return batch;
  }) as [Batch, Batch];
  if (fast.rows !== records || slow.rows !== records)
    throw new Error(`${name}: ${records} records, decoded ${fast.rows} and ${slow.rows}`);
  for (const [index, column] of COLUMNS.entries()) {
    const [a, b] = [fast.data[index], slow.data[index]];
    if (!a && !b) continue;
    const length = records * itemsPerRow(column.type);
    for (let i = 0; i < length; i++)
      if ((a?.[i] ?? 0) !== (b?.[i] ?? 0)) throw new Error(`${name}: column ${column.name} differs at ${i}`);
  }
}

/** CPU seconds of one pass over all datagrams. */
function timeDecode({ bytes }: Case, decoder: Decoder, batch: Batch, passes: number): number {
  const info = createDatagramInfo();
  const before = mainThreadSeconds();
  for (let pass = 0; pass < passes; pass++) {
    for (let i = 0; i < bytes.length; i++) {
      decoder.decode(bytes[i] as Uint8Array, source, EXPORT_MS, batch, info);
      if (batch.rows >= ROW_LIMIT) resetBatch(batch);
    }
  }
  return (mainThreadSeconds() - before) / passes;
}

/** The least that any decoder does: every word of every datagram read in network order and stored somewhere else. */
function timeCopy({ bytes }: Case, passes: number): number {
  const words = new Uint32Array(ROW_LIMIT * 16);
  let at = 0;
  const before = mainThreadSeconds();
  for (let pass = 0; pass < passes; pass++) {
    for (let i = 0; i < bytes.length; i++) {
      const datagram = bytes[i] as Uint8Array;
      const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
      const end = datagram.length - 3;
      if (at + datagram.length > words.length) at = 0;
      for (let offset = 0; offset < end; offset += 4) words[at++] = view.getUint32(offset);
    }
  }
  return (mainThreadSeconds() - before) / passes;
}

async function run(): Promise<void> {
  console.log(describeMachine());
  const cases = [
    ...PROTOCOLS.map((protocol) => makeCase(protocol, false)),
    makeCase('netflow9', true),
    makeCase('ipfix', true),
  ];
  cases.forEach(guard);
  const batch = createBatch({ rowLimit: ROW_LIMIT });
  const decoder = prepare(
    cases.map(({ traffic }) => traffic),
    false,
  );
  const passes = option('passes', 100);
  const rounds = option('rounds', 5);
  // One decoder for all, as in a collector that receives all protocols.
  for (let warmUp = 0; warmUp < 3; warmUp++) for (const one of cases) timeDecode(one, decoder, batch, passes);
  const samples = cases.map(() => ({ decode: [] as number[], copy: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    await untilQuiet();
    cases.forEach((one, index) => {
      samples[index]?.decode.push(one.records / timeDecode(one, decoder, batch, passes) / 1e6);
      samples[index]?.copy.push(one.records / timeCopy(one, passes) / 1e6);
    });
  }
  printTable(
    ['decode', 'M flows/s per core', 'ns per record', 'time ÷ copy loop'],
    cases.map(({ name }, index) => {
      const { decode, copy } = samples[index] as (typeof samples)[number];
      return [
        name,
        formatSpread(decode),
        (1000 / median(decode)).toFixed(0),
        (median(copy) / median(decode)).toFixed(1),
      ];
    }),
  );
  console.log(`median of ${rounds} (lowest–highest); ${DATAGRAMS} datagrams, ${passes} passes each`);
}

void run();
