import {
  addressOf,
  createFlowSource,
  createRandom,
  createZipf,
  encodeIpfix,
  encodeIpfixTemplates,
  encodeNetflow5,
  encodeNetflow9,
  encodeNetflow9Templates,
  encodeSflow,
  EXPORTERS,
  ipfixOptionRecords,
  type DemoExporter,
  type DemoFlow,
  type Random,
} from '../collector/src/demo/index.ts';

export const PROTOCOLS = ['netflow5', 'netflow9', 'ipfix', 'sflow'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** What a datagram holds, so that receivers can be checked. Bytes and packets are as counted, not scaled. */
export interface Claim {
  readonly records: number;
  readonly bytes: number;
  readonly packets: number;
}

/** Datagrams made beforehand, of full size, to be sent again and again with other sequence numbers and times. */
export interface Traffic {
  readonly protocol: Protocol;
  readonly exporter: DemoExporter;
  /** To be sent first; null where the protocol needs none. */
  readonly templates: Uint8Array | null;
  /** By how much the sequence number is larger after the templates. */
  readonly templateUnits: number;
  readonly datagrams: readonly Uint8Array[];
  readonly claims: readonly Claim[];
}

export interface TrafficOptions {
  readonly datagrams: number;
  /** Milliseconds since the epoch at which all datagrams were exported, a whole second. */
  readonly exportMs: number;
  readonly seed?: number;
  /** IPv6 flows among the others: two data sets per datagram. Default: IPv4 only. */
  readonly mixed?: boolean;
}

/** As many records as fit 1,472 bytes, the UDP payload of an Ethernet frame. */
const RECORDS: Readonly<Record<Protocol, number>> = { netflow5: 30, netflow9: 23, ipfix: 20, sflow: 6 };
const RECORDS_MIXED: Readonly<Record<Protocol, number>> = { netflow5: 30, netflow9: 16, ipfix: 14, sflow: 6 };
const UPTIME_MS = 86_400_000;
/** sFlow: sampled frames, and the Ethernet header and checksum in them, which do not count as traffic. */
const FRAME_BYTES = 640;
const ETHERNET_BYTES = 18;

export function exporterOf(protocol: Protocol): DemoExporter {
  return EXPORTERS.find((exporter) => exporter.protocol === protocol) as DemoExporter;
}

export function buildTraffic(protocol: Protocol, options: TrafficOptions): Traffic {
  const exporter = exporterOf(protocol);
  const flows = createScatteredSource(exporter, createRandom(options.seed ?? 1));
  const size = (options.mixed === true ? RECORDS_MIXED : RECORDS)[protocol];
  const datagrams: Uint8Array[] = [];
  const claims: Claim[] = [];
  let pending: DemoFlow[] = [];
  while (datagrams.length < options.datagrams) {
    while (pending.length < size) {
      const conversation = flows(options.exportMs - 10);
      pending.push(...(options.mixed === true ? conversation : conversation.filter(({ src }) => src.length === 4)));
    }
    const part = pending.slice(0, size);
    pending = pending.slice(size);
    datagrams.push(encode(exporter, part, options.exportMs));
    // Each sFlow sample is one packet.
    const counted = protocol === 'sflow' ? part.map(() => ({ bytes: FRAME_BYTES - ETHERNET_BYTES, packets: 1 })) : part;
    claims.push({
      records: part.length,
      bytes: counted.reduce((sum, { bytes }) => sum + bytes, 0),
      packets: counted.reduce((sum, { packets }) => sum + packets, 0),
    });
  }
  return { protocol, exporter, ...templatesOf(exporter, options.exportMs), datagrams, claims };
}

/** The exporter's templates and options, for the protocols that have them. */
export function templatesOf(exporter: DemoExporter, exportMs: number): Pick<Traffic, 'templates' | 'templateUnits'> {
  const { interfaces, sampling } = exporter;
  if (exporter.protocol === 'netflow9') {
    const header = { unixMs: exportMs, uptimeMs: UPTIME_MS, sequence: 0, sourceId: 1 };
    return { templates: encodeNetflow9Templates(header, sampling, interfaces), templateUnits: 1 };
  }
  if (exporter.protocol === 'ipfix') {
    const header = { unixMs: exportMs, sequence: 0, domain: 7 };
    return {
      templates: encodeIpfixTemplates(header, sampling, interfaces),
      templateUnits: ipfixOptionRecords(interfaces),
    };
  }
  return { templates: null, templateUnits: 0 };
}

/** One datagram with sequence number 0. */
export function encode(exporter: DemoExporter, flows: readonly DemoFlow[], unixMs: number): Uint8Array {
  const uptimeMs = UPTIME_MS;
  switch (exporter.protocol) {
    case 'netflow5':
      return encodeNetflow5(
        { unixMs, uptimeMs, sequence: 0, engineType: 0, engineId: 1, sampling: exporter.sampling },
        flows,
      );
    case 'netflow9':
      return encodeNetflow9({ unixMs, uptimeMs, sequence: 0, sourceId: 1 }, flows);
    case 'ipfix':
      return encodeIpfix({ unixMs, sequence: 0, domain: 7 }, flows);
    case 'sflow':
      return encodeSflow(
        { agent: addressOf(exporter.address), subAgent: 0, sequence: 0, uptimeMs },
        flows.map((flow) => ({ sequence: 0, pool: 0, rate: exporter.sampling, frameBytes: FRAME_BYTES, flow })),
      );
  }
}

/** Remote hosts of the scattered network, and the autonomous systems that they are in. */
const REMOTE_HOSTS = 300_000;
const REMOTE_SYSTEMS = 3000;

/**
 * The demo's conversations with far more remote hosts than the demo has: every rank is one address somewhere in IPv4
 * (or one interface id in IPv6) and one of 3,000 autonomous systems, the popular ones much more often. Small networks
 * compress better and make smaller rings than real ones.
 */
export function createScatteredSource(
  exporter: DemoExporter,
  random: Random,
): (endMs: number, volume?: number) => readonly DemoFlow[] {
  const source = createFlowSource({ ...exporter, site: { ...exporter.site, hosts: 4000 } }, random);
  const rankOf = createZipf(random, REMOTE_HOSTS, 0.9);
  return (endMs, volume) => {
    const rank = rankOf();
    const number = 64_512 - (rank % REMOTE_SYSTEMS);
    return source.conversation(endMs, volume).map((flow) => {
      const outbound = flow.srcAs === 0;
      const remote = scatter(outbound ? flow.dst : flow.src, rank);
      return outbound ? { ...flow, dst: remote, dstAs: number } : { ...flow, src: remote, srcAs: number };
    });
  };
}

function scatter(address: Uint8Array, rank: number): Uint8Array {
  const word = Math.imul(rank + 1, 0x9e3779b1);
  const scattered = address.slice();
  const at = address.length - 4;
  // Unicast IPv4 only: 1.0.0.0 to 223.255.255.255.
  scattered[at] = address.length === 4 ? 1 + ((word >>> 24) % 223) : word >>> 24;
  scattered[at + 1] = word >>> 16;
  scattered[at + 2] = word >>> 8;
  scattered[at + 3] = word;
  return scattered;
}

/** Writes sequence numbers and times into prebuilt datagrams, as one exporter would count them. */
export interface Stamper {
  /**
   * @param view over the buffer that holds the datagram
   * @param at where the datagram begins
   * @param records flow records in it
   * @param seconds whole seconds since the datagrams were built: clock and uptime move on together, so that the flows'
   *   own times stay what they are
   */
  stamp(view: DataView, at: number, records: number, seconds: number): void;
}

export function createStamper(traffic: Traffic): Stamper {
  const { protocol, templateUnits } = traffic;
  const first = traffic.datagrams[0] as Uint8Array;
  const built = new DataView(first.buffer, first.byteOffset, first.byteLength);
  const clockAt = protocol === 'ipfix' ? 4 : 8;
  const uptimeAt = protocol === 'sflow' ? 20 : 4;
  const clock = protocol === 'sflow' ? 0 : built.getUint32(clockAt);
  const uptime = protocol === 'ipfix' ? 0 : built.getUint32(uptimeAt);
  /** sFlow: samples so far by source id, and sampled packets per sample. */
  const samples = new Map<number, number>();
  let sequence = templateUnits;

  switch (protocol) {
    case 'netflow5':
    case 'netflow9':
      return {
        stamp(view, at, records, seconds) {
          view.setUint32(at + uptimeAt, uptime + seconds * 1000);
          view.setUint32(at + clockAt, clock + seconds);
          view.setUint32(at + (protocol === 'netflow5' ? 16 : 12), sequence);
          // v5 counts records, v9 datagrams (protocols Q01).
          sequence += protocol === 'netflow5' ? records : 1;
        },
      };
    case 'ipfix':
      return {
        stamp(view, at, records, seconds) {
          view.setUint32(at + clockAt, clock + seconds);
          view.setUint32(at + 8, sequence);
          sequence += records;
        },
      };
    case 'sflow':
      return {
        stamp(view, at, records, seconds) {
          view.setUint32(at + 16, ++sequence);
          view.setUint32(at + uptimeAt, uptime + seconds * 1000);
          let sample = at + 28;
          for (let i = 0; i < records; i++) {
            const sourceId = view.getUint32(sample + 12);
            const count = (samples.get(sourceId) ?? 0) + 1;
            samples.set(sourceId, count);
            view.setUint32(sample + 8, count);
            view.setUint32(sample + 20, count * traffic.exporter.sampling);
            sample += 8 + view.getUint32(sample + 4);
          }
        },
      };
  }
}
