import { createSocket, type Socket } from 'node:dgram';
import {
  addressOf,
  createRandom,
  encodeIpfix,
  encodeIpfixTemplates,
  encodeNetflow5,
  encodeNetflow9,
  encodeNetflow9Templates,
  encodeSflow,
  ipfixOptionRecords,
  type DemoExporter,
  type DemoFlow,
  type Random,
} from '../../collector/src/demo/index.ts';

/**
 * Four exporters, one of each protocol, that number their records: the number stands in the source address, so that a
 * record that is missing is told apart from one that is there twice. What they do wrong is what networks do: some
 * datagrams are sent twice, some overtake others, garbage comes from the same port, a clock is an hour behind, an
 * exporter starts again with other templates.
 */
export interface Load {
  start(): Promise<void>;
  /** Sends records of all exporters for so long. */
  run(durationMs: number, recordsPerSecond: number): Promise<void>;
  /** The clock of the v9 exporter is an hour behind from now on. */
  stepBack(): void;
  /** v9 and IPFIX exporters boot again: other template layouts under the same ids, sequence numbers from 0. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  readonly sent: LoadCounts;
  /** When each record was sent, by its number: milliseconds since the epoch; of a reordered one, the later moment. */
  readonly sentAtMs: Float64Array;
  /** How often each record was sent: 1, or 2 for those of a doubled datagram. */
  readonly copies: Uint8Array;
}

export interface LoadCounts {
  records: number;
  datagrams: number;
  doubled: number;
  reordered: number;
  garbage: number;
  restarts: number;
}

/** What a record of a number carries; the same formula is asked of the store in SQL. */
export const bytesOf = (id: number): number => 100 + (id % 1301);
export const BYTES_SQL = '100 + id % 1301';

/** Datagrams of one exporter before its templates are sent again. */
const TEMPLATE_EVERY = 25;
const REORDERED = 0.05;
const DOUBLED = 0.02;
const GARBAGE = 0.02;
const HOUR_MS = 3_600_000;
const UPTIME_MS = 3 * 86_400_000;
const MOST_RECORDS = 1 << 23;

interface Sender {
  readonly protocol: DemoExporter['protocol'];
  readonly address: string;
  socket: Socket | null;
  sequence: number;
  bootMs: number;
  sinceTemplates: number;
  /** Layout: rounds up with each restart. */
  generation: number;
  clockOffsetMs: number;
  /** A datagram that the next one overtakes. */
  held: { bytes: Uint8Array; ids: readonly number[] } | null;
}

const PER_DATAGRAM = { netflow5: 25, netflow9: 15, ipfix: 15, sflow: 6 } as const;

export function createLoad(port: number, seed: number): Load {
  const random: Random = createRandom(seed);
  const sent: LoadCounts = { records: 0, datagrams: 0, doubled: 0, reordered: 0, garbage: 0, restarts: 0 };
  const sentAtMs = new Float64Array(MOST_RECORDS);
  const copies = new Uint8Array(MOST_RECORDS);
  const senders = (['netflow5', 'netflow9', 'ipfix', 'sflow'] as const).map((protocol, i): Sender => ({
    protocol,
    address: `127.0.9.${i + 1}`,
    socket: null,
    sequence: 0,
    bootMs: Date.now() - UPTIME_MS,
    sinceTemplates: TEMPLATE_EVERY,
    generation: 0,
    clockOffsetMs: 0,
    held: null,
  }));

  function bind(address: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = createSocket({ type: 'udp4', sendBufferSize: 1 << 20 });
      socket.once('error', reject);
      socket.bind(0, address, () => {
        socket.removeAllListeners('error');
        socket.on('error', () => undefined);
        resolve(socket);
      });
    });
  }

  function put(sender: Sender, bytes: Uint8Array): Promise<void> {
    sent.datagrams++;
    // That nobody listens for a moment is what this run is about.
    return new Promise((done) => (sender.socket as Socket).send(bytes, port, '127.0.0.1', () => done()));
  }

  async function transmit(sender: Sender, bytes: Uint8Array, ids: readonly number[]): Promise<void> {
    const nowMs = Date.now();
    for (const id of ids) {
      sentAtMs[id] = nowMs;
      copies[id] = (copies[id] as number) + 1;
    }
    await put(sender, bytes);
  }

  function flowOf(id: number, nowMs: number): DemoFlow {
    return {
      src: Uint8Array.of(10, id >>> 16, id >>> 8, id),
      dst: Uint8Array.of(198, 51, 100, id % 200),
      srcPort: 1024 + (id % 60_000),
      dstPort: [443, 53, 80, 22][id % 4] as number,
      proto: id % 4 === 1 ? 17 : 6,
      tcpFlags: id % 4 === 1 ? 0 : 0x1b,
      tos: 0,
      bytes: bytesOf(id),
      packets: 1 + (id % 7),
      // Some lie in one minute, some are spread over three.
      startMs: nowMs - ((id % 5) * 30_000 + 20),
      endMs: nowMs - 10,
      inIf: 1 + (id % 3),
      outIf: 4 + (id % 2),
      srcAs: 64_500 + (id % 5),
      dstAs: 64_600 + (id % 3),
      srcMask: 24,
      dstMask: 24,
      vlan: 0,
    };
  }

  async function templates(sender: Sender, nowMs: number): Promise<void> {
    sender.sinceTemplates = 0;
    const interfaces = [1, 2, 3, 4, 5].map((index) => ({ index, name: `if${index}`, description: '', speedBps: 1e9 }));
    if (sender.protocol === 'netflow9') {
      const header = { unixMs: nowMs, uptimeMs: nowMs - sender.bootMs, sequence: sender.sequence++, sourceId: 1 };
      await put(sender, relayout(encodeNetflow9Templates(header, 1, interfaces), sender.generation, 20, 0));
    } else if (sender.protocol === 'ipfix') {
      const header = { unixMs: nowMs, sequence: sender.sequence, domain: 7 };
      sender.sequence += ipfixOptionRecords(interfaces);
      await put(sender, relayout(encodeIpfixTemplates(header, 1, interfaces), sender.generation, 16, 2));
    }
  }

  function encode(sender: Sender, flows: readonly DemoFlow[], nowMs: number): Uint8Array {
    const { sequence, generation } = sender;
    const uptimeMs = nowMs - sender.bootMs;
    switch (sender.protocol) {
      case 'netflow5':
        sender.sequence += flows.length;
        return encodeNetflow5({ unixMs: nowMs, uptimeMs, sequence, engineType: 0, engineId: 1, sampling: 1 }, flows);
      case 'netflow9':
        sender.sequence++;
        // The layouts of two generations differ in where source and destination stand.
        return encodeNetflow9({ unixMs: nowMs, uptimeMs, sequence, sourceId: 1 }, flows.map(swapIf(generation)));
      case 'ipfix':
        sender.sequence += flows.length;
        return encodeIpfix({ unixMs: nowMs, sequence, domain: 7 }, flows.map(swapIf(generation)));
      case 'sflow':
        sender.sequence++;
        return encodeSflow(
          { agent: addressOf(sender.address), subAgent: 0, sequence: sender.sequence, uptimeMs },
          // Ethernet header and checksum are not part of the packet that is counted.
          flows.map((flow, i) => ({
            sequence: sequence * 6 + i,
            pool: sequence * 6 + i,
            rate: 1,
            frameBytes: flow.bytes + 18,
            flow,
          })),
        );
    }
  }

  async function step(sender: Sender): Promise<void> {
    const nowMs = Date.now() + sender.clockOffsetMs;
    if (sender.sinceTemplates >= TEMPLATE_EVERY) await templates(sender, nowMs);
    sender.sinceTemplates++;
    const ids = Array.from({ length: PER_DATAGRAM[sender.protocol] }, () => sent.records++);
    const bytes = encode(
      sender,
      ids.map((id) => flowOf(id, nowMs)),
      nowMs,
    );
    const { held } = sender;
    if (!held && random.next() < REORDERED) {
      sender.held = { bytes, ids };
      sent.reordered++;
      return;
    }
    await transmit(sender, bytes, ids);
    sender.held = null;
    if (held) await transmit(sender, held.bytes, held.ids);
    if (random.next() < DOUBLED) {
      sent.doubled++;
      await transmit(sender, bytes, ids);
    }
    if (random.next() < GARBAGE) {
      sent.garbage++;
      // No version that is known, so that it cannot be taken for records.
      const garbage = Uint8Array.from({ length: random.between(0, 300) }, () => random.between(0, 255));
      garbage[0] = 0xee;
      await put(sender, garbage);
    }
  }

  async function release(sender: Sender): Promise<void> {
    const { held } = sender;
    sender.held = null;
    if (held) await transmit(sender, held.bytes, held.ids);
  }

  return {
    sent,
    sentAtMs,
    copies,
    async start() {
      for (const sender of senders) sender.socket = await bind(sender.address);
    },
    async run(durationMs, recordsPerSecond) {
      const beganMs = performance.now();
      const before = sent.records;
      for (;;) {
        const elapsedMs = performance.now() - beganMs;
        if (elapsedMs >= durationMs) break;
        if (sent.records - before >= (elapsedMs / 1000) * recordsPerSecond) {
          await new Promise((done) => setTimeout(done, 2));
          continue;
        }
        for (const sender of senders) await step(sender);
      }
    },
    stepBack() {
      const sender = senders[1] as Sender;
      // A wrong clock, not a reboot: boot time as the exporter sees it moves along.
      sender.clockOffsetMs = -HOUR_MS;
      sender.bootMs -= HOUR_MS;
    },
    async restart() {
      sent.restarts++;
      for (const sender of senders) {
        if (sender.protocol !== 'netflow9' && sender.protocol !== 'ipfix') continue;
        await release(sender);
        sender.generation++;
        sender.sequence = 0;
        sender.bootMs = Date.now() + sender.clockOffsetMs - 1000;
        await templates(sender, Date.now() + sender.clockOffsetMs);
      }
    },
    async stop() {
      for (const sender of senders) {
        await release(sender);
        await new Promise<void>((done) => (sender.socket as Socket).close(() => done()));
      }
    },
  };
}

/** Every second generation writes the destination first. */
const swapIf =
  (generation: number) =>
  (flow: DemoFlow): DemoFlow =>
    generation % 2 === 1 ? { ...flow, src: flow.dst, dst: flow.src } : flow;

/** The same templates with the elements of source and destination address exchanged in every second generation. */
function relayout(datagram: Uint8Array, generation: number, headerBytes: number, templateSet: number): Uint8Array {
  if (generation % 2 === 0) return datagram;
  const bytes = datagram.slice();
  const view = new DataView(bytes.buffer);
  const other: Readonly<Record<number, number>> = { 8: 12, 12: 8, 27: 28, 28: 27 };
  for (let at = headerBytes; at + 4 <= bytes.length; at += view.getUint16(at + 2)) {
    if (view.getUint16(at) !== templateSet) continue;
    const end = at + view.getUint16(at + 2);
    for (let template = at + 4; template + 4 <= end && view.getUint16(template) >= 256;) {
      const fields = view.getUint16(template + 2);
      for (let field = template + 4; field < template + 4 + fields * 4; field += 4)
        view.setUint16(field, other[view.getUint16(field)] ?? view.getUint16(field));
      template += 4 + fields * 4;
    }
  }
  return bytes;
}
