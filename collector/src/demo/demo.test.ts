import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { formatAddress, parseAddress, addressWords } from '@ringflow/contract';
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
  type DemoFlow,
} from './index.ts';

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

test('the demo sends live traffic and history from every exporter, and nothing after stop', async () => {
  let live: ReturnType<typeof createDemo> | undefined;
  const { batch, losses } = await receive(
    async (port) => {
      live = createDemo(
        { ...DEMO_DEFAULTS, history_hours: 0.1, flows_per_second: 400 },
        { host: '127.0.0.1', port },
        { now: Date.now, log: () => undefined },
      );
      await live.start();
      await live.history;
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

test('v9 counts and lengths are those of RFC 3954', () => {
  const source = createFlowSource(EXPORTERS[0] as (typeof EXPORTERS)[number], createRandom(7));
  const datagram = encodeNetflow9(
    { unixMs: NOW, uptimeMs: 86_400_000, sequence: 5, sourceId: 1 },
    source.conversation(NOW),
  );
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  expect([view.getUint16(0), view.getUint16(2), view.getUint32(12), view.getUint32(16)]).toEqual([9, 2, 5, 1]);
});
