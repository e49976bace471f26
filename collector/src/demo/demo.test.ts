import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { addressWords, formatAddress, parseAddress, parseFilter } from '@ringflow/contract';
import { NO_NAMES } from '../query/index.ts';
import { evaluateFilter } from '../query/testing/evaluate.ts';
import {
  COLUMN_INDEX,
  createBatch,
  createDatagramInfo,
  createDecoder,
  readCell,
  WIRE_DEFAULTS,
  type Batch,
  type OptionsRecord,
  type CountersRecord,
  type Source,
} from '../wire/index.ts';
import {
  createDemo,
  createExporter,
  createFlowSource,
  createRandom,
  createZipf,
  DEMO_DEFAULTS,
  EXPORTERS,
  encodeNetflow9,
  INCIDENTS,
  type Deliver,
  type DemoExporter,
  type DemoFlow,
} from './index.ts';
import { sendHistory } from './history.ts';
import { rhythm } from './network.ts';
import { createSpeakers } from './speaker.ts';

const NOW = 1_795_217_400_000;

function sourceOf(address: string, port: number): Source {
  return { address, port, words: addressWords(parseAddress(address) as Uint8Array) };
}

function cell(batch: Batch, row: number, name: keyof typeof COLUMN_INDEX): unknown {
  const index = COLUMN_INDEX[name];
  return batch.used[index] ? readCell(batch, index, row) : undefined;
}

/** Receives what an exporter sends and decodes it. */
async function receive(send: (port: number) => Promise<void>, expected: () => number) {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const batch = createBatch({ rowLimit: 100_000 });
  const options: OptionsRecord[] = [];
  const counters: CountersRecord[] = [];
  const decoder = createDecoder(WIRE_DEFAULTS, {
    options: (record) => void options.push(record),
    counters: (record) => void counters.push(record),
  });
  const info = createDatagramInfo();
  const losses = new Uint32Array(info.losses.length);
  let datagrams = 0;
  socket.on('message', (message, remote) => {
    decoder.decode(message, sourceOf(remote.address, remote.port), NOW, batch, info);
    info.losses.forEach((count, reason) => (losses[reason] = (losses[reason] ?? 0) + count));
    datagrams++;
  });
  await send((socket.address() as AddressInfo).port);
  for (let i = 0; i < 200 && datagrams < expected(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  socket.close();
  return { batch, options, counters, losses: [...losses].filter((count) => count > 0), datagrams };
}

test.each(EXPORTERS)('what $name sends as $protocol decodes to the flows it was given', async (exporter) => {
  const source = createFlowSource(exporter, createRandom(7));
  const flows: DemoFlow[] = Array.from({ length: 100 }, (_, index) => source.conversation(NOW - index * 37, 1)).flat();
  const running = createExporter(exporter, { host: '127.0.0.1', port: 0 }, NOW);
  let sender = running;
  const { batch, options, counters, losses, datagrams } = await receive(
    async (port) => {
      sender = createExporter(exporter, { host: '127.0.0.1', port }, NOW);
      await sender.start();
      await sender.send(flows, NOW);
    },
    () => sender.counts().datagrams,
  );
  await sender.stop();
  expect(losses).toEqual([]);
  expect(datagrams).toBe(sender.counts().datagrams);
  expect(batch.rows).toBe(flows.length);
  const key = (parts: readonly unknown[]) => parts.join(' ');
  const sampled = exporter.protocol === 'sflow';
  const sent = flows.map((flow) =>
    key([
      text(flow.src),
      text(flow.dst),
      flow.proto,
      flow.icmpType === undefined ? flow.srcPort : 0,
      flow.icmpType === undefined ? flow.dstPort : flow.icmpType,
      sampled ? 1 : flow.packets,
      ...(sampled ? [] : [flow.bytes, flow.startMs, flow.endMs]),
      flow.inIf,
      flow.outIf,
      flow.tcpFlags,
    ]),
  );
  const found = Array.from({ length: batch.rows }, (_, row) => {
    const address = (name: 'src_addr' | 'dst_addr') =>
      formatAddress(batch.data[COLUMN_INDEX[name]] as Uint32Array, row * 4);
    const number = (name: keyof typeof COLUMN_INDEX) => Number(cell(batch, row, name) ?? 0);
    const icmp = number('proto') === 1 || number('proto') === 58;
    const ms = (name: 'time_flow_start_ns' | 'time_flow_end_ns') =>
      Number((cell(batch, row, name) as bigint) / 1_000_000n);
    return key([
      address('src_addr'),
      address('dst_addr'),
      number('proto'),
      icmp ? 0 : number('src_port'),
      icmp ? number('icmp_type') : number('dst_port'),
      number('packets'),
      ...(sampled ? [] : [number('bytes'), ms('time_flow_start_ns'), ms('time_flow_end_ns')]),
      number('in_if'),
      number('out_if'),
      number('tcp_flags'),
    ]);
  });
  expect(found.sort()).toEqual(sent.sort());
  expect(new Set(Array.from({ length: batch.rows }, (_, row) => cell(batch, row, 'sampling_rate'))).size).toBe(1);
  expect(Number(cell(batch, 0, 'sampling_rate'))).toBe(
    exporter.sampling === 1 && exporter.protocol === 'netflow5' ? cell(batch, 0, 'sampling_rate') : exporter.sampling,
  );
  if (sampled) expect(counters.filter(({ format }) => format === 1)).toHaveLength(exporter.interfaces.length);
  else if (exporter.protocol !== 'netflow5') {
    const names = options.flatMap(({ fields }) =>
      fields
        .filter(({ id, scope }) => id === 82 && !scope)
        .map(({ bytes }) => Buffer.from(bytes).toString('latin1').replace(/\0+$/, '')),
    );
    expect(names).toEqual(exporter.interfaces.map(({ name }) => name));
  }
});

function text(address: Uint8Array): string {
  return address.length === 4 ? address.join('.') : formatAddress(addressWords(address), 0);
}

test('the same seed gives the same network', () => {
  const flows = (seed: number) =>
    createFlowSource(EXPORTERS[0] as (typeof EXPORTERS)[number], createRandom(seed)).conversation(NOW);
  expect(flows(3)).toEqual(flows(3));
  expect(flows(3)).not.toEqual(flows(4));
});

test('Zipf ranks fall off', () => {
  const zipf = createZipf(createRandom(1), 100);
  const seen = new Uint32Array(100);
  for (let i = 0; i < 20_000; i++) {
    const rank = zipf();
    seen[rank] = (seen[rank] ?? 0) + 1;
  }
  expect(seen[0]).toBeGreaterThan((seen[9] as number) * 3);
});

test('the demo sends live traffic from every exporter, and nothing after stop', async () => {
  let live: ReturnType<typeof createDemo> | undefined;
  const { batch, losses } = await receive(
    async (port) => {
      live = createDemo(
        { ...DEMO_DEFAULTS, flows_per_second: 2000 },
        { host: '127.0.0.1', port },
        { now: () => NOW + performance.now(), log: () => undefined },
      );
      await live.start();
      await new Promise((resolve) => setTimeout(resolve, 1200));
      await live.stop();
    },
    () => (live as ReturnType<typeof createDemo>).status().reduce((sum, { datagrams }) => sum + datagrams, 0),
  );
  const status = (live as ReturnType<typeof createDemo>).status();
  expect(losses).toEqual([]);
  expect(status.every(({ flows }) => flows > 0)).toBe(true);
  expect(batch.rows).toBe(status.reduce((sum, { flows }) => sum + flows, 0));
});

describe('history', () => {
  const hours = 6;
  const fromMs = NOW - hours * 3_600_000;
  const config = { ...DEMO_DEFAULTS, history_flows_per_minute: 300, flows_per_second: 20 };

  /** Decodes what is delivered, each datagram at the time at which it is said to have been sent. */
  function createReceiver() {
    const batch = createBatch({ rowLimit: 400_000 });
    const decoder = createDecoder(WIRE_DEFAULTS, { options: () => undefined, counters: () => undefined });
    const info = createDatagramInfo();
    const totals = { losses: 0, outside: 0 };
    const keep: Deliver = (datagram, { address }, sentMs) => {
      if (sentMs <= fromMs || sentMs > NOW) totals.outside++;
      decoder.decode(datagram, sourceOf(address, 1), sentMs, batch, info);
      totals.losses += info.losses.reduce((sum, count) => sum + count, 0);
    };
    const exporterOf = (row: number) => formatAddress(batch.data[COLUMN_INDEX.sampler_address] as Uint32Array, row * 4);
    return { batch, keep, totals, exporterOf };
  }

  /** Scaled bytes by exporter, without the incidents, which come on top. */
  function bytesByExporter({ batch, exporterOf }: ReturnType<typeof createReceiver>): Map<string, number> {
    const bytes = new Map<string, number>();
    for (let row = 0; row < batch.rows; row++) {
      const addresses = (['src_addr', 'dst_addr'] as const).map((name) =>
        formatAddress(batch.data[COLUMN_INDEX[name]] as Uint32Array, row * 4),
      );
      if (addresses.some((address) => /^10\.\d+\.200\./.test(address))) continue;
      const rate = Math.max(1, Number(cell(batch, row, 'sampling_rate') ?? 0));
      const exporter = exporterOf(row);
      bytes.set(exporter, (bytes.get(exporter) ?? 0) + Number(cell(batch, row, 'bytes')) * rate);
    }
    return bytes;
  }

  test('every exporter has flows in every hour, sFlow too, with the times of then', async () => {
    const receiver = createReceiver();
    const { batch, totals, exporterOf } = receiver;
    const reached: number[] = [];
    const { flows } = await sendHistory(config, {
      fromMs,
      toMs: NOW,
      keep: receiver.keep,
      reached: (untilMs) => void reached.push(untilMs),
      stopped: () => false,
    });
    expect(totals).toEqual({ losses: 0, outside: 0 });
    expect(batch.rows).toBe(flows);
    expect(reached).toHaveLength(hours * 60);
    expect(reached.at(-1)).toBe(NOW);
    const seen = new Set<string>();
    for (let row = 0; row < batch.rows; row++) {
      const endMs = Number((cell(batch, row, 'time_flow_end_ns') as bigint) / 1_000_000n);
      seen.add(`${exporterOf(row)} ${Math.floor((endMs - fromMs) / 3_600_000)}`);
    }
    const expected = EXPORTERS.flatMap(({ address }) =>
      Array.from({ length: hours }, (_, hour) => `${address} ${hour}`),
    );
    expect(expected.filter((key) => !seen.has(key))).toEqual([]);

    // As much traffic as the live exporters would have sent.
    const live = createReceiver();
    const conversations = 20_000;
    const speakers = createSpeakers(live.keep, createRandom(5), NOW);
    for (const { running, source, volume } of speakers) {
      const sent = Array.from({ length: conversations }, () => source.conversation(NOW - 1000, volume)).flat();
      await running.send(sent, NOW);
    }
    const liveBytes = bytesByExporter(live);
    const historyBytes = bytesByExporter(receiver);
    const minutes = Array.from({ length: hours * 60 }, (_, minute) => rhythm(fromMs + minute * 60_000));
    const busySeconds = minutes.reduce((sum, share) => sum + share, 0) * 60;
    for (const { running, share } of speakers) {
      const { address } = running.exporter;
      const perFlow = (liveBytes.get(address) as number) / (conversations * 2);
      const expectedBytes = perFlow * config.flows_per_second * share * busySeconds;
      const ratio = (historyBytes.get(address) as number) / expectedBytes;
      expect(`${address} ${ratio > 0.8 && ratio < 1.25 ? 'as live' : ratio}`).toBe(`${address} as live`);
    }
  });
});

test.each(INCIDENTS)('the filter of "$name" finds its flows and no others', (incident) => {
  const { tree = null, error } = parseFilter(incident.filter);
  expect(error).toBeUndefined();
  const exporter = EXPORTERS.find(({ name }) => name === incident.exporter) as DemoExporter;
  const random = createRandom(3);
  const matches = (flow: DemoFlow) =>
    evaluateFilter(
      tree,
      {
        src_addr: wide(flow.src),
        dst_addr: wide(flow.dst),
        src_port: flow.srcPort,
        dst_port: flow.dstPort,
      },
      NO_NAMES,
    );
  expect(incident.flows(exporter, random, NOW).every(matches)).toBe(true);
  for (const one of EXPORTERS) {
    const source = createFlowSource(one, random);
    const others = Array.from({ length: 20_000 }, () => source.conversation(NOW)).flat();
    expect(others.filter(matches)).toEqual([]);
  }
});

/** Sixteen bytes. */
function wide(address: Uint8Array): Uint8Array {
  return address.length === 16 ? address : Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...address);
}

test('v9 counts and lengths are those of RFC 3954', () => {
  const source = createFlowSource(EXPORTERS[0] as (typeof EXPORTERS)[number], createRandom(7));
  const datagram = encodeNetflow9(
    { unixMs: NOW, uptimeMs: 86_400_000, sequence: 5, sourceId: 1 },
    source.conversation(NOW),
  );
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  expect([view.getUint16(0), view.getUint16(2), view.getUint32(12), view.getUint32(16)]).toEqual([9, 2, 5, 1]);
});
