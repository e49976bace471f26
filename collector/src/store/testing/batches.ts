import { COLUMN_INDEX, createBatch, useColumn, type Batch } from '../../wire/index.ts';

/** Random numbers from a seed (mulberry32): the same on every run. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface TrafficOptions {
  readonly rows: number;
  readonly seed: number;
  /** Milliseconds since the epoch at which the records arrive. */
  readonly receivedMs: number;
  readonly exporters?: number;
  /** Inside and outside addresses; the popular ones are drawn far more often. */
  readonly insideHosts?: number;
  readonly outsideHosts?: number;
  /** Longest flow; durations are skewed towards short ones. */
  readonly maxDurationMs?: number;
  /** Fills {@link NOISY} columns with numbers that no codec makes smaller: 200 bytes a row more on disk. */
  readonly noise?: boolean;
}

/** Columns that nothing is summed up by. */
const NOISY = [
  'next_hop',
  'bgp_next_hop',
  'nat_src_addr',
  'nat_dst_addr',
  'tunnel_src_addr',
  'tunnel_dst_addr',
  'src_mac',
  'dst_mac',
  'post_src_mac',
  'post_dst_mac',
  'sta_mac',
  'wtp_mac',
  'flow_id',
  'frame_bytes',
  'post_bytes',
  'post_packets',
  'total_bytes',
  'total_packets',
  'l2_segment_id',
] as const;

const SERVICES = [
  [6, 443],
  [17, 53],
  [6, 80],
  [17, 443],
  [6, 22],
  [6, 25],
  [17, 123],
  [6, 3389],
  [6, 8080],
  [6, 993],
  [1, 0],
  [6, 5432],
] as const;

/**
 * Records like those of a campus border: a few routers, thousands of inside hosts, many more outside ones with a few
 * popular among them, both directions of each conversation, one-minute active timeout.
 */
export function createTraffic(options: TrafficOptions): Batch {
  const {
    rows,
    seed,
    receivedMs,
    exporters = 4,
    insideHosts = 5000,
    outsideHosts = 200_000,
    maxDurationMs = 60_000,
    noise = false,
  } = options;
  const random = createRandom(seed);
  const batch = createBatch({ rowLimit: rows });
  const u = (name: keyof typeof COLUMN_INDEX) => useColumn(batch, COLUMN_INDEX[name]);
  const columns = {
    type: u('type'),
    received: u('time_received_ns'),
    sequence: u('sequence_num'),
    sampler: u('sampler_address'),
    domain: u('observation_domain_id'),
    sampling: u('sampling_rate'),
    start: u('time_flow_start_ns'),
    end: u('time_flow_end_ns'),
    bytes: u('bytes'),
    packets: u('packets'),
    src: u('src_addr'),
    dst: u('dst_addr'),
    srcPort: u('src_port'),
    dstPort: u('dst_port'),
    srcMask: u('src_mask'),
    dstMask: u('dst_mask'),
    etype: u('etype'),
    proto: u('proto'),
    tos: u('ip_tos'),
    flags: u('tcp_flags'),
    inIf: u('in_if'),
    outIf: u('out_if'),
    srcAs: u('src_as'),
    dstAs: u('dst_as'),
    nextHop: u('next_hop'),
    service: u('service'),
    reason: u('flow_end_reason'),
    direction: u('flow_direction'),
  };
  const skewed = (count: number) => Math.floor(count * random() ** 3);
  let sequence = Math.floor(random() * 1e6);
  for (let row = 0; row < rows; row++) {
    const exporter = skewed(exporters);
    const datagram = Math.floor(row / 24);
    const arrivalMs = receivedMs + (datagram % 1000);
    const inside = skewed(insideHosts);
    const outside = skewed(outsideHosts);
    const outbound = random() < 0.5;
    const [proto, port] = SERVICES[skewed(SERVICES.length)] as readonly [number, number];
    const ephemeral = 32_768 + Math.floor(random() * 28_000);
    const insideClient = random() < 0.8;
    const insidePort = insideClient ? ephemeral : port;
    const outsidePort = insideClient ? port : ephemeral;
    const packets = 1 + Math.floor(1 / (random() + 0.002) ** 1.2);
    const duration = packets === 1 ? 0 : Math.floor(maxDurationMs * random() ** 4);
    const end = arrivalMs - Math.floor(random() * 15_000);
    if (row % 24 === 0) sequence += 1;
    columns.type[row] = exporter % 2 === 0 ? 3 : 4;
    columns.sequence[row] = sequence;
    columns.domain[row] = exporter % 2 === 0 ? 0 : 256;
    columns.sampling[row] = exporter === 3 ? 1000 : 1;
    writeTime(columns.received as Uint32Array, row, arrivalMs, 250_000 + (datagram % 997) * 700);
    writeTime(columns.start as Uint32Array, row, end - duration, 0);
    writeTime(columns.end as Uint32Array, row, end, 0);
    columns.packets[row * 2] = packets;
    columns.bytes[row * 2] = packets * (40 + Math.floor((outbound ? 200 : 1400) * random()));
    writeIpv4(columns.sampler as Uint32Array, row, 0x0aff0001 + exporter);
    const insideAddress = 0x0a010000 + inside;
    // Spread over the whole space, the same host always at the same address.
    const outsideAddress = Math.imul(outside + 1, 0x9e3779b1) >>> 0;
    writeIpv4(columns.src as Uint32Array, row, outbound ? insideAddress : outsideAddress);
    writeIpv4(columns.dst as Uint32Array, row, outbound ? outsideAddress : insideAddress);
    columns.srcPort[row] = outbound ? insidePort : outsidePort;
    columns.dstPort[row] = outbound ? outsidePort : insidePort;
    columns.srcMask[row] = outbound ? 24 : 16;
    columns.dstMask[row] = outbound ? 16 : 24;
    columns.etype[row] = 0x0800;
    columns.proto[row] = proto;
    columns.tos[row] = random() < 0.1 ? 184 : 0;
    columns.flags[row] = proto === 6 ? (packets > 3 ? 27 : 2) : 0;
    columns.inIf[row] = outbound ? 1 + (inside % 24) : 100 + (outside % 3);
    columns.outIf[row] = outbound ? 100 + (outside % 3) : 1 + (inside % 24);
    const asNumber = 1000 + (outside % 3000);
    columns.srcAs[row] = outbound ? 0 : asNumber;
    columns.dstAs[row] = outbound ? asNumber : 0;
    writeIpv4(columns.nextHop as Uint32Array, row, outbound ? 0xc0000201 + (outside % 3) : 0x0aff0101);
    columns.service[row] = proto * 65_536 + port;
    columns.reason[row] = duration > 55_000 ? 2 : 1;
    columns.direction[row] = 0;
  }
  if (noise) {
    for (const name of NOISY) {
      const data = u(name) as Uint32Array;
      const words = name.endsWith('_addr') || name.endsWith('next_hop') ? 4 : 2;
      for (let word = 0; word < rows * words; word++) data[word] = random() * 2 ** 32;
    }
  }
  batch.rows = rows;
  return batch;
}

/** Nanoseconds of a time column, as two words. */
export function writeTime(data: Uint32Array, row: number, ms: number, restNs: number): void {
  const ns = BigInt(ms) * 1_000_000n + BigInt(restNs);
  data[row * 2] = Number(ns & 0xffffffffn);
  data[row * 2 + 1] = Number(ns >> 32n);
}

/** An IPv4 address, mapped, in an address column. */
export function writeIpv4(data: Uint32Array, row: number, address: number): void {
  data[row * 4 + 2] = 0xffff0000;
  data[row * 4 + 3] =
    ((address & 0xff) << 24) | ((address & 0xff00) << 8) | ((address >>> 8) & 0xff00) | (address >>> 24);
}
