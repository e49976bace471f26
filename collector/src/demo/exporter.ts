import { createSocket, type Socket } from 'node:dgram';
import { encodeIpfix, encodeIpfixTemplates, ipfixOptionRecords } from './encode-ipfix.ts';
import { encodeNetflow5, NETFLOW5_MAX_RECORDS } from './encode-netflow5.ts';
import { encodeNetflow9, encodeNetflow9Templates } from './encode-netflow9.ts';
import { encodeSflow, headerBytes, type CounterSample, type FlowSample } from './encode-sflow.ts';
import { addressOf, type DemoFlow } from './flow.ts';
import type { DemoExporter } from './network.ts';

export interface ExporterTarget {
  readonly host: string;
  /** UDP port; every port of the collector takes every protocol. */
  readonly port: number;
}

/** Takes a datagram in the place of a socket, with the time at which it was sent; may copy it, not keep it. */
export type Deliver = (datagram: Uint8Array, exporter: DemoExporter, sentMs: number) => void | Promise<void>;

/** What an exporter says it sent; tests compare the store with it. */
export interface ExporterCounts {
  datagrams: number;
  flows: number;
  /** As counted (not scaled). */
  bytes: number;
  packets: number;
}

export interface RunningExporter {
  readonly exporter: DemoExporter;
  start(): Promise<void>;
  /** Sends flow records now; resolves when the socket has taken them. Templates go first when they are due. */
  send(flows: readonly DemoFlow[], nowMs: number): Promise<void>;
  counts(): Readonly<ExporterCounts>;
  stop(): Promise<void>;
}

/** NetFlow v9 and IPFIX records that fit 1,400 bytes with room to spare. */
const RECORDS_PER_DATAGRAM = 16;
const SAMPLES_PER_DATAGRAM = 6;
const TEMPLATE_REFRESH_MS = 30_000;
const COUNTERS_MS = 20_000;
/** The exporters booted long before the history that they export. */
const UPTIME_MS = 40 * 86_400_000;

/** One exporter with its own socket (where it sends to a port), sequence numbers and uptime. */
export function createExporter(
  exporter: DemoExporter,
  target: ExporterTarget | Deliver,
  startedMs: number,
): RunningExporter {
  const bootMs = startedMs - UPTIME_MS;
  const counts: ExporterCounts = { datagrams: 0, flows: 0, bytes: 0, packets: 0 };
  const octets = new Map(
    exporter.interfaces.map(({ index }) => [index, { inBytes: 0, inPackets: 0, outBytes: 0, outPackets: 0 }]),
  );
  let socket: Socket | null = null;
  let sequence = 0;
  /** Samples taken so far by source id, which is the input interface (sFlow numbers samples per source). */
  const samples = new Map<number, number>();
  let counterSamples = 0;
  let templatesDueMs = 0;
  let countersDueMs = 0;

  async function start(): Promise<void> {
    if (typeof target === 'function') return;
    socket = await bind(exporter.address).catch(() => bind('127.0.0.1'));
  }

  function bind(address: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const bound = createSocket({ type: 'udp4', sendBufferSize: 1 << 20 });
      bound.once('error', (error) => (bound.close(), reject(error)));
      bound.bind(
        0,
        address,
        () => (bound.removeAllListeners('error'), bound.on('error', () => undefined), resolve(bound)),
      );
    });
  }

  async function transmit(datagram: Uint8Array, sentMs: number): Promise<void> {
    if (typeof target === 'function') {
      counts.datagrams++;
      return target(datagram, exporter, sentMs);
    }
    const open = socket;
    if (!open) return;
    counts.datagrams++;
    // A refused datagram (nobody listens yet) is what UDP is.
    await new Promise<void>((resolve) => open.send(datagram, target.port, target.host, () => resolve()));
  }

  async function send(flows: readonly DemoFlow[], nowMs: number): Promise<void> {
    const size =
      exporter.protocol === 'netflow5'
        ? NETFLOW5_MAX_RECORDS
        : exporter.protocol === 'sflow'
          ? SAMPLES_PER_DATAGRAM
          : RECORDS_PER_DATAGRAM;
    if (nowMs >= templatesDueMs) await sendTemplates(nowMs);
    for (let at = 0; at < flows.length; at += size) {
      const part = flows.slice(at, at + size);
      await transmit(encode(part, nowMs), nowMs);
      counts.flows += part.length;
      for (const flow of part) {
        counts.bytes += flow.bytes;
        counts.packets += flow.packets;
      }
    }
    if (exporter.protocol === 'sflow' && nowMs >= countersDueMs) await sendCounters(nowMs);
  }

  async function sendTemplates(nowMs: number): Promise<void> {
    templatesDueMs = nowMs + TEMPLATE_REFRESH_MS;
    const { sampling, interfaces } = exporter;
    if (exporter.protocol === 'netflow9') {
      await transmit(
        encodeNetflow9Templates(
          { unixMs: nowMs, uptimeMs: nowMs - bootMs, sequence: sequence++, sourceId: 1 },
          sampling,
          interfaces,
        ),
        nowMs,
      );
    } else if (exporter.protocol === 'ipfix') {
      await transmit(encodeIpfixTemplates({ unixMs: nowMs, sequence, domain: 7 }, sampling, interfaces), nowMs);
      sequence += ipfixOptionRecords(interfaces);
    }
  }

  function encode(flows: readonly DemoFlow[], nowMs: number): Uint8Array {
    const uptimeMs = nowMs - bootMs;
    const before = sequence;
    switch (exporter.protocol) {
      case 'netflow5':
        sequence += flows.length;
        return encodeNetflow5(
          { unixMs: nowMs, uptimeMs, sequence: before, engineType: 0, engineId: 1, sampling: exporter.sampling },
          flows,
        );
      case 'netflow9':
        sequence++;
        return encodeNetflow9({ unixMs: nowMs, uptimeMs, sequence: before, sourceId: 1 }, flows);
      case 'ipfix':
        sequence += flows.length;
        return encodeIpfix({ unixMs: nowMs, sequence: before, domain: 7 }, flows);
      case 'sflow':
        sequence++;
        return encodeSflow(
          { agent: addressOf(exporter.address), subAgent: 0, sequence, uptimeMs },
          flows.map(sampleOf),
        );
    }
  }

  /** Each flow is one sampled packet of its average size. */
  function sampleOf(flow: DemoFlow): FlowSample {
    const frameBytes = Math.max(64, Math.min(1518, headerBytes(flow) + Math.round(flow.bytes / flow.packets)));
    const sequence = (samples.get(flow.inIf) ?? 0) + 1;
    samples.set(flow.inIf, sequence);
    const [incoming, outgoing] = [octets.get(flow.inIf), octets.get(flow.outIf)];
    if (incoming) {
      incoming.inBytes += frameBytes * exporter.sampling;
      incoming.inPackets += exporter.sampling;
    }
    if (outgoing) {
      outgoing.outBytes += frameBytes * exporter.sampling;
      outgoing.outPackets += exporter.sampling;
    }
    return { sequence, pool: sequence * exporter.sampling, rate: exporter.sampling, frameBytes, flow };
  }

  async function sendCounters(nowMs: number): Promise<void> {
    countersDueMs = nowMs + COUNTERS_MS;
    counterSamples++;
    const counters = exporter.interfaces.map((known): CounterSample => ({
      sequence: counterSamples,
      interface: known,
      ...(octets.get(known.index) as Omit<CounterSample, 'sequence' | 'interface'>),
    }));
    sequence++;
    await transmit(
      encodeSflow(
        { agent: addressOf(exporter.address), subAgent: 0, sequence, uptimeMs: nowMs - bootMs },
        [],
        counters,
      ),
      nowMs,
    );
  }

  async function stop(): Promise<void> {
    const open = socket;
    socket = null;
    if (open) await new Promise<void>((resolve) => open.close(() => resolve()));
  }

  return { exporter, start, send, counts: () => counts, stop };
}
