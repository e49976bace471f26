import { readlinkSync } from 'node:fs';
import { parseAddress } from '@ringflow/contract';
import * as libc from './libc.ts';
import type { DatagramSink, Endpoint, Receiver, ReceiverConfig, SocketStatus } from './receiver.ts';

/** Datagrams per system call. */
const MESSAGES = 256;
/** Holds any UDP payload (X04: RFC 7011 10). */
const SLOT_BYTES = 65_536;
/**
 * Slots do not begin at multiples of 64 KiB: all first lines of all datagrams would fall into the same few sets of
 * the processor's cache.
 */
const SLOT_STRIDE = SLOT_BYTES + 1536;
/** Pause between looks while datagrams come: long enough for one look to find many, far shorter than the buffer lasts. */
const PAUSE_MS = 2;
/** A look that found this many skips the pause. */
const BUSY_DATAGRAMS = 192;
/** Empty looks before we wait for the kernel to tell us. */
const IDLE_LOOKS = 3;

interface OpenSocket {
  readonly fd: number;
  readonly family: number;
  readonly poll: ReturnType<libc.Libc['pollReadable']>;
  readonly status: Omit<SocketStatus, 'datagrams' | 'bytes'>;
  datagrams: number;
  bytes: number;
}

/** Why this receiver cannot be used here, or null. */
export function recvmmsgProblem(): string | null {
  const problem = libc.libcProblem();
  if (problem !== null) return problem;
  try {
    libc.loadLibc();
    return null;
  } catch (error) {
    return `the system calls cannot be reached (${(error as Error).message})`;
  }
}

/**
 * Reads up to 256 datagrams per system call. The message headers are set up once over one buffer; nothing is
 * allocated per datagram unless its length differs from the one before in its slot.
 *
 * While datagrams come it looks every 2 ms, so that one look finds many; when none come it sleeps until the event
 * loop's own poll reports one. The event loop never blocks.
 *
 * @param slotBytes longest datagram, for tests
 */
export function createRecvmmsgReceiver(config: ReceiverConfig, sink: DatagramSink, slotBytes = SLOT_BYTES): Receiver {
  const calls = libc.loadLibc();
  const stride = slotBytes === SLOT_BYTES ? SLOT_STRIDE : slotBytes;

  // The kernel holds the addresses of these for as long as the receiver lives. They are made over explicit
  // ArrayBuffers (which never move) and stay referenced by this closure: a collected one would be written to after
  // it was freed.
  const data = new Uint8Array(new ArrayBuffer(MESSAGES * stride));
  const names = new Int32Array(new ArrayBuffer(MESSAGES * libc.SOCKADDR_BYTES));
  const vectors = new BigUint64Array(new ArrayBuffer(MESSAGES * libc.IOVEC_BYTES));
  const headers = new Uint32Array(new ArrayBuffer(MESSAGES * libc.MMSGHDR_BYTES));
  const headerBytes = new Uint8Array(headers.buffer);
  setUpHeaders();
  /** The view of each slot's latest datagram, kept because the next one is often as long. */
  const views: Uint8Array[] = Array.from({ length: MESSAGES }, (_, slot) =>
    data.subarray(slot * stride, slot * stride),
  );
  /** For IPv4 sockets: the sender's address, mapped. */
  const mapped = new Int32Array(new ArrayBuffer(16));

  let sockets: OpenSocket[] = [];
  let truncated = 0;
  let stopped = false;
  let waiting = false;
  let idleLooks = 0;
  let timer: NodeJS.Timeout | null = null;
  let immediate: NodeJS.Immediate | null = null;

  function setUpHeaders(): void {
    const dataAt = calls.address(data);
    const namesAt = calls.address(new Uint8Array(names.buffer));
    const vectorsAt = calls.address(new Uint8Array(vectors.buffer));
    const view = new DataView(headers.buffer);
    for (let slot = 0; slot < MESSAGES; slot++) {
      vectors[slot * 2] = dataAt + BigInt(slot * stride);
      vectors[slot * 2 + 1] = BigInt(slotBytes);
      const at = slot * libc.MMSGHDR_BYTES;
      view.setBigUint64(at + libc.MMSGHDR.name, namesAt + BigInt(slot * libc.SOCKADDR_BYTES), true);
      view.setUint32(at + libc.MMSGHDR.nameLength, libc.SOCKADDR_BYTES, true);
      view.setBigUint64(at + libc.MMSGHDR.vector, vectorsAt + BigInt(slot * libc.IOVEC_BYTES), true);
      view.setBigUint64(at + libc.MMSGHDR.vectorCount, 1n, true);
    }
  }

  function openSocket(endpoint: Endpoint): OpenSocket {
    const type = libc.SOCK_DGRAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC;
    let family = libc.AF_INET6;
    let fd = calls.socket(family, type, 0);
    if (
      fd < 0 &&
      calls.errno() === libc.EAFNOSUPPORT &&
      (endpoint.address === '::' || !endpoint.address.includes(':'))
    ) {
      family = libc.AF_INET;
      fd = calls.socket(family, type, 0);
    }
    if (fd < 0) throw systemError('socket', endpoint, calls.errno());
    try {
      if (family === libc.AF_INET6) setOption(fd, libc.IPPROTO_IPV6, libc.IPV6_V6ONLY, 0);
      // The forced form passes net.core.rmem_max, but needs CAP_NET_ADMIN.
      setOption(fd, libc.SOL_SOCKET, libc.SO_RCVBUF, config.receiveBufferBytes);
      if (grantedBytes(fd) < config.receiveBufferBytes) {
        setOption(fd, libc.SOL_SOCKET, libc.SO_RCVBUFFORCE, config.receiveBufferBytes);
      }
      const address = socketAddress(family, endpoint);
      if (calls.bind(fd, address, address.length) !== 0) throw systemError('bind', endpoint, calls.errno());
      return {
        fd,
        family,
        poll: calls.pollReadable(fd, wake),
        status: describe(fd, family, endpoint),
        datagrams: 0,
        bytes: 0,
      };
    } catch (error) {
      calls.close(fd);
      throw error;
    }
  }

  function setOption(fd: number, level: number, name: number, value: number): boolean {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, value, true);
    return calls.setsockopt(fd, level, name, bytes, 4) === 0;
  }

  /** What the kernel gave, in bytes as asked for: it doubles the number for its own bookkeeping (socket(7)). */
  function grantedBytes(fd: number): number {
    const value = new Uint8Array(4);
    calls.getsockopt(fd, libc.SOL_SOCKET, libc.SO_RCVBUF, value, Uint8Array.of(4, 0, 0, 0));
    return new DataView(value.buffer).getInt32(0, true) / 2;
  }

  function describe(fd: number, family: number, endpoint: Endpoint): OpenSocket['status'] {
    const bound = new Uint8Array(libc.SOCKADDR_BYTES);
    calls.getsockname(fd, bound, Uint8Array.of(bound.length, 0, 0, 0));
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
    return {
      address: family === libc.AF_INET && endpoint.address === '::' ? '0.0.0.0' : endpoint.address,
      port: ((bound[2] as number) << 8) | (bound[3] as number),
      requestedBytes: config.receiveBufferBytes,
      grantedBytes: grantedBytes(fd),
      inode: Number(inode ?? 0),
    };
  }

  /** One system call; returns the datagrams handed on. */
  function receive(socket: OpenSocket): number {
    const count = calls.recvmmsg(socket.fd, headerBytes, MESSAGES, libc.MSG_DONTWAIT, null);
    // EAGAIN: nothing there. Any other error (an ICMP answer, a signal) concerns this call only.
    if (count <= 0) return 0;
    socket.datagrams += count;
    for (let slot = 0; slot < count; slot++) {
      const header = slot * (libc.MMSGHDR_BYTES / 4);
      const length = headers[header + libc.MMSGHDR.length / 4] as number;
      if (((headers[header + libc.MMSGHDR.flags / 4] as number) & libc.MSG_TRUNC) !== 0) truncated++;
      socket.bytes += length;
      let bytes = views[slot] as Uint8Array;
      if (bytes.length !== length) views[slot] = bytes = data.subarray(slot * stride, slot * stride + length);
      const name = slot * (libc.SOCKADDR_BYTES / 4);
      const word = names[name] as number;
      const port = ((word >>> 24) & 0xff) | ((word >>> 8) & 0xff00);
      if (socket.family === libc.AF_INET6) sink.datagram(bytes, names, name + 2, port);
      else {
        mapped[2] = 0xffff0000 | 0;
        mapped[3] = names[name + 1] as number;
        sink.datagram(bytes, mapped, 0, port);
        // The kernel shortened the field to what it wrote; sockets of both families share the headers.
        headers[header + libc.MMSGHDR.nameLength / 4] = libc.SOCKADDR_BYTES;
      }
    }
    return count;
  }

  function look(): number {
    let received = 0;
    // One call each, then the event loop's turn: what writes the segments waits for it ten times per segment.
    for (const socket of sockets) received += receive(socket);
    if (received > 0) sink.settled();
    return received;
  }

  function turn(): void {
    immediate = null;
    if (stopped) return;
    const received = look();
    idleLooks = received === 0 ? idleLooks + 1 : 0;
    if (received >= BUSY_DATAGRAMS) immediate = setImmediate(turn);
    else if (idleLooks < IDLE_LOOKS) {
      if (timer) timer.refresh();
      else timer = setTimeout(turn, PAUSE_MS);
    } else {
      waiting = true;
      for (const socket of sockets) socket.poll.start();
    }
  }

  function wake(): void {
    if (!waiting || stopped) return;
    waiting = false;
    idleLooks = 0;
    for (const socket of sockets) socket.poll.stop();
    // Not from here: what is thrown inside koffi's call ends the process at some later garbage collection, without a word.
    immediate = setImmediate(turn);
  }

  return {
    kind: 'recvmmsg',
    async start() {
      try {
        for (const endpoint of config.listen) sockets.push(openSocket(endpoint));
      } catch (error) {
        close();
        throw error;
      }
      turn();
    },
    async stop() {
      if (stopped) return;
      stopped = true;
      if (timer) clearTimeout(timer);
      if (immediate) clearImmediate(immediate);
      // What was received before is decoded, but a sender that goes on cannot hold us here.
      for (let turns = 0; turns < 256 && look() > 0; turns++);
      close();
    },
    sockets: () => sockets.map(({ status, datagrams, bytes }) => ({ ...status, datagrams, bytes })),
    truncated: () => truncated,
  };

  function close(): void {
    for (const socket of sockets) {
      socket.poll.close();
      calls.close(socket.fd);
    }
    sockets = [];
  }
}

/** `struct sockaddr_in6` or `struct sockaddr_in`. */
function socketAddress(family: number, endpoint: Endpoint): Uint8Array {
  const bytes = parseAddress(endpoint.address);
  if (!bytes) throw new RangeError(`${endpoint.address} is not an address`);
  const address = new Uint8Array(family === libc.AF_INET6 ? libc.SOCKADDR_BYTES : 16);
  address[0] = family;
  address[2] = endpoint.port >> 8;
  address[3] = endpoint.port & 0xff;
  if (family === libc.AF_INET6) {
    // ::ffff:0.0.0.0 would take IPv4 only, as meant by who writes 0.0.0.0.
    address.set(bytes, 8);
  } else if (endpoint.address !== '::') address.set(bytes.subarray(12), 4);
  return address;
}

const ERROR_NAMES: Readonly<Record<number, string>> = {
  13: 'EACCES',
  98: 'EADDRINUSE',
  99: 'EADDRNOTAVAIL',
  24: 'EMFILE',
};

/** The same properties as Node's own errors have. */
function systemError(call: string, endpoint: Endpoint, errno: number): Error {
  const code = ERROR_NAMES[errno] ?? `errno ${errno}`;
  const error = new Error(`${call} ${code} ${endpoint.address}:${endpoint.port}`);
  return Object.assign(error, { code, errno: -errno, syscall: call, address: endpoint.address, port: endpoint.port });
}
