import { addressWords, parseAddress } from '@ringflow/contract';
import {
  addressOf,
  encodeIpfix,
  encodeIpfixTemplates,
  encodeNetflow5,
  encodeNetflow9,
  encodeNetflow9Templates,
  encodeSflow,
  ipfixOptionRecords,
  type DemoExporter,
  type DemoFlow,
} from '../../collector/src/demo/index.ts';
import { COLUMN_INDEX, type Batch } from '../../collector/src/wire/index.ts';

/** An exporter that does nothing wrong: each of its records has a number, and all of them must arrive, once. */
export interface Honest {
  readonly name: string;
  readonly protocol: DemoExporter['protocol'];
  /** Four words of its address, as a receiver hands them over. */
  readonly address: Int32Array;
  readonly port: number;
  /** The datagrams that it sends now: templates when they are due, then records. */
  send(nowMs: number): Uint8Array[];
  /** Looks for its records in rows that are about to be sealed. */
  look(batch: Batch): void;
  result(): HonestResult;
}

export interface HonestResult {
  readonly name: string;
  readonly sent: number;
  readonly arrived: number;
  /** Sent and not there, there more than once, there with other bytes. */
  readonly missing: number;
  readonly doubled: number;
  readonly wrong: number;
}

const UPTIME_MS = 86_400_000;
const TEMPLATE_REFRESH_MS = 10_000;
const RECORDS = 8;
/** Record numbers are the last three bytes of the source address; so many are followed. */
const MOST_RECORDS = 1 << 20;

/** Bytes of record `id`: such that a mix-up of records shows. */
const bytesOf = (id: number): number => 100 + (id % 1200);

export function createHonest(
  name: string,
  protocol: DemoExporter['protocol'],
  addressText: string,
  startMs: number,
): Honest {
  const words = addressWords(parseAddress(addressText) as Uint8Array);
  const bootMs = startMs - UPTIME_MS;
  const seen = new Uint8Array(MOST_RECORDS);
  let sequence = 0;
  let sent = 0;
  let wrong = 0;
  let templatesDueMs = 0;

  function flowOf(id: number, nowMs: number): DemoFlow {
    return {
      src: Uint8Array.of(10, id >>> 16, id >>> 8, id),
      dst: Uint8Array.of(192, 0, 2, 1),
      srcPort: 1024 + (id % 50_000),
      dstPort: 443,
      proto: 6,
      tcpFlags: 0x1b,
      tos: 0,
      bytes: bytesOf(id),
      packets: 1,
      startMs: nowMs - 1000,
      endMs: nowMs - 10,
      inIf: 1,
      outIf: 2,
      srcAs: 64_500,
      dstAs: 64_501,
      srcMask: 24,
      dstMask: 24,
      vlan: 0,
    };
  }

  function templates(nowMs: number): Uint8Array[] {
    if (nowMs < templatesDueMs || protocol === 'netflow5' || protocol === 'sflow') return [];
    templatesDueMs = nowMs + TEMPLATE_REFRESH_MS;
    const interfaces = [{ index: 1, name: 'a', description: 'honest', speedBps: 1e9 }];
    if (protocol === 'netflow9')
      return [
        encodeNetflow9Templates(
          { unixMs: nowMs, uptimeMs: nowMs - bootMs, sequence: sequence++, sourceId: 1 },
          1,
          interfaces,
        ),
      ];
    const datagram = encodeIpfixTemplates({ unixMs: nowMs, sequence, domain: 7 }, 1, interfaces);
    sequence += ipfixOptionRecords(interfaces);
    return [datagram];
  }

  function encode(flows: readonly DemoFlow[], nowMs: number): Uint8Array {
    const uptimeMs = nowMs - bootMs;
    const before = sequence;
    switch (protocol) {
      case 'netflow5':
        sequence += flows.length;
        return encodeNetflow5(
          { unixMs: nowMs, uptimeMs, sequence: before, engineType: 0, engineId: 1, sampling: 1 },
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
          { agent: addressOf(addressText), subAgent: 0, sequence, uptimeMs },
          // Ethernet header and checksum are not part of the packet that is counted.
          flows.map((flow, i) => ({ sequence: sent + i, pool: sent + i, rate: 1, frameBytes: flow.bytes + 18, flow })),
        );
    }
  }

  return {
    name,
    protocol,
    address: new Int32Array(words.buffer),
    port: 50_000,
    send(nowMs) {
      if (sent + RECORDS > MOST_RECORDS) return [];
      const first = templates(nowMs);
      const flows = Array.from({ length: RECORDS }, (_, i) => flowOf(sent + i, nowMs));
      const datagram = encode(flows, nowMs);
      sent += RECORDS;
      return [...first, datagram];
    },
    look(batch) {
      const samplers = batch.data[COLUMN_INDEX.sampler_address] as Uint32Array | null;
      const sources = batch.data[COLUMN_INDEX.src_addr] as Uint32Array | null;
      const bytes = batch.data[COLUMN_INDEX.bytes] as Uint32Array | null;
      if (!samplers) return;
      const [w0, w1, w2, w3] = words as unknown as [number, number, number, number];
      for (let row = 0, at = 0; row < batch.rows; row++, at += 4) {
        if (samplers[at + 3] !== w3 || samplers[at + 2] !== w2 || samplers[at] !== w0 || samplers[at + 1] !== w1)
          continue;
        // Network order read as a little-endian word: the first byte is the lowest.
        const source = sources?.[at + 3] ?? 0;
        const id = (((source >>> 8) & 0xff) << 16) | (((source >>> 16) & 0xff) << 8) | (source >>> 24);
        if ((source & 0xff) !== 10 || id >= sent || bytes?.[row * 2] !== bytesOf(id) || bytes[row * 2 + 1] !== 0)
          wrong++;
        else if ((seen[id] as number) < 255) seen[id] = (seen[id] as number) + 1;
      }
    },
    result() {
      let arrived = 0;
      let missing = 0;
      let doubled = 0;
      for (let id = 0; id < sent; id++) {
        const times = seen[id] as number;
        arrived += times;
        if (times === 0) missing++;
        if (times > 1) doubled++;
      }
      return { name, sent, arrived, missing, doubled, wrong };
    },
  };
}
