import { parseAddress } from '@ringflow/contract';
import * as libc from '../collector/src/inlet/libc.ts';
import { cpuSeconds } from './measure.ts';
import { buildTraffic, createStamper, type Protocol } from './traffic.ts';

export interface BlastOptions {
  readonly protocol: Protocol;
  /** IPv4 text form. */
  readonly host: string;
  readonly port: number;
  /** Flow records per second; 0 = as fast as it goes. */
  readonly recordsPerSecond: number;
  /** How long, or until `maxDatagrams` were sent. */
  readonly seconds: number;
  readonly maxDatagrams?: number;
  /** Different datagrams, sent in turn. */
  readonly prebuilt?: number;
  readonly seed?: number;
}

/** What was sent; templates are not counted. */
export interface BlastReport {
  readonly protocol: Protocol;
  readonly datagrams: number;
  readonly records: number;
  /** Sums of the records' counters, not scaled. */
  readonly bytes: number;
  readonly packets: number;
  /** Datagrams that the kernel would not take, since nobody listens. */
  readonly refused: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  readonly cpuSeconds: number;
}

/** Datagrams per system call. */
const MESSAGES = 64;
const SLOT_BYTES = 2048;
const SEND_BUFFER_BYTES = 4 * 1024 * 1024;
const ECONNREFUSED = 111;

/**
 * Sends prebuilt datagrams from one socket, many per system call: the message headers of all of them are set up once,
 * only sequence numbers and times are written again. Blocks until it is done.
 */
export function blast(options: BlastOptions): BlastReport {
  const prebuilt = Math.ceil((options.prebuilt ?? 4096) / MESSAGES) * MESSAGES;
  const exportMs = Math.floor(Date.now() / 1000) * 1000;
  const traffic = buildTraffic(options.protocol, { datagrams: prebuilt, exportMs, seed: options.seed ?? 1 });
  const stamper = createStamper(traffic);
  const calls = libc.loadLibc();

  // The kernel reads from these: they stay referenced until the end (DESIGN: the receive path).
  const data = new Uint8Array(new ArrayBuffer(prebuilt * SLOT_BYTES));
  const view = new DataView(data.buffer);
  const vectors = new BigUint64Array(new ArrayBuffer(prebuilt * libc.IOVEC_BYTES));
  const headers = new Uint8Array(new ArrayBuffer(prebuilt * libc.MMSGHDR_BYTES));
  const headerView = new DataView(headers.buffer);
  const dataAt = calls.address(data);
  const vectorsAt = calls.address(new Uint8Array(vectors.buffer));
  traffic.datagrams.forEach((datagram, index) => {
    data.set(datagram, index * SLOT_BYTES);
    vectors[index * 2] = dataAt + BigInt(index * SLOT_BYTES);
    vectors[index * 2 + 1] = BigInt(datagram.length);
    const at = index * libc.MMSGHDR_BYTES;
    headerView.setBigUint64(at + libc.MMSGHDR.vector, vectorsAt + BigInt(index * libc.IOVEC_BYTES), true);
    headerView.setBigUint64(at + libc.MMSGHDR.vectorCount, 1n, true);
  });
  const groups = Array.from({ length: prebuilt / MESSAGES }, (_, group) =>
    headers.subarray(group * MESSAGES * libc.MMSGHDR_BYTES, (group + 1) * MESSAGES * libc.MMSGHDR_BYTES),
  );

  const fd = openSocket(calls, options.host, options.port);
  const sent = { datagrams: 0, records: 0, bytes: 0, packets: 0, refused: 0 };
  const clock = new Int32Array(new SharedArrayBuffer(4));
  const maxDatagrams = options.maxDatagrams ?? Number.POSITIVE_INFINITY;
  if (traffic.templates) sendOne(calls, fd, traffic.templates);

  const cpuBefore = cpuSeconds();
  const began = performance.now();
  for (let group = 0; sent.datagrams < maxDatagrams; group = (group + 1) % groups.length) {
    let elapsedMs = performance.now() - began;
    while (options.recordsPerSecond > 0 && sent.records > (elapsedMs / 1000) * options.recordsPerSecond) {
      Atomics.wait(clock, 0, 0, 1);
      elapsedMs = performance.now() - began;
    }
    if (elapsedMs >= options.seconds * 1000) break;
    const count = Math.min(MESSAGES, maxDatagrams - sent.datagrams);
    const first = group * MESSAGES;
    const seconds = Math.floor((Date.now() - exportMs) / 1000);
    for (let slot = 0; slot < count; slot++) {
      stamper.stamp(view, (first + slot) * SLOT_BYTES, traffic.claims[first + slot]?.records ?? 0, seconds);
    }
    const taken = sendGroup(groups[group] as Uint8Array, count);
    for (let slot = 0; slot < taken; slot++) {
      const claim = traffic.claims[first + slot];
      if (!claim) continue;
      sent.records += claim.records;
      sent.bytes += claim.bytes;
      sent.packets += claim.packets;
    }
    sent.datagrams += taken;
    sent.refused += count - taken;
  }
  const seconds = (performance.now() - began) / 1000;
  const used = cpuSeconds() - cpuBefore;
  calls.close(fd);
  return { protocol: options.protocol, ...sent, seconds, recordsPerSecond: sent.records / seconds, cpuSeconds: used };

  /** The kernel may take fewer than asked; what it refuses (an ICMP answer) is reported once and sent again. */
  function sendGroup(messages: Uint8Array, count: number): number {
    let done = 0;
    for (let attempts = 0; done < count && attempts < count; attempts++) {
      const rest = done === 0 ? messages : messages.subarray(done * libc.MMSGHDR_BYTES);
      const taken = calls.sendmmsg(fd, rest, count - done, 0);
      if (taken > 0) done += taken;
      else if (calls.errno() !== ECONNREFUSED && calls.errno() !== libc.EINTR)
        throw new Error(`sendmmsg: errno ${calls.errno()}`);
    }
    return done;
  }
}

function openSocket(calls: libc.Libc, host: string, port: number): number {
  const bytes = parseAddress(host);
  if (!bytes) throw new RangeError(`${host} is not an address`);
  const fd = calls.socket(libc.AF_INET, libc.SOCK_DGRAM | libc.SOCK_CLOEXEC, 0);
  if (fd < 0) throw new Error(`socket: errno ${calls.errno()}`);
  const size = new Uint8Array(4);
  new DataView(size.buffer).setInt32(0, SEND_BUFFER_BYTES, true);
  calls.setsockopt(fd, libc.SOL_SOCKET, libc.SO_SNDBUF, size, 4);
  const address = new Uint8Array(16);
  address[0] = libc.AF_INET;
  address[2] = port >> 8;
  address[3] = port & 0xff;
  address.set(bytes.subarray(12), 4);
  if (calls.connect(fd, address, address.length) !== 0) throw new Error(`connect: errno ${calls.errno()}`);
  return fd;
}

function sendOne(calls: libc.Libc, fd: number, datagram: Uint8Array): void {
  const data = new Uint8Array(new ArrayBuffer(datagram.length));
  data.set(datagram);
  const vector = new BigUint64Array(new ArrayBuffer(libc.IOVEC_BYTES));
  vector[0] = calls.address(data);
  vector[1] = BigInt(data.length);
  const header = new Uint8Array(new ArrayBuffer(libc.MMSGHDR_BYTES));
  const view = new DataView(header.buffer);
  view.setBigUint64(libc.MMSGHDR.vector, calls.address(new Uint8Array(vector.buffer)), true);
  view.setBigUint64(libc.MMSGHDR.vectorCount, 1n, true);
  if (calls.sendmmsg(fd, header, 1, 0) !== 1) throw new Error(`sendmmsg: errno ${calls.errno()}`);
}

// As a process of its own: `node blaster.cjs '{"protocol": …}'` prints what it sent. Tests and benchmarks import it.
if (require.main === module) console.log(JSON.stringify(blast(JSON.parse(process.argv[2] ?? '{}') as BlastOptions)));
