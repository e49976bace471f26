import { parseAddress } from '@ringflow/contract';

/** Where datagrams go. Called for each one, then `settled` once before the event loop gets its turn. */
export interface DatagramSink {
  /**
   * @param bytes the UDP payload; only valid during the call
   * @param address sixteen bytes of the sender as four words from `at` on, in the layout of an `addr` column (IPv4 mapped)
   * @param port UDP port of the sender
   */
  datagram(bytes: Uint8Array, address: Int32Array, at: number, port: number): void;
  settled(): void;
}

/** One listening socket. */
export interface SocketStatus {
  readonly address: string;
  readonly port: number;
  /** Receive buffer asked for and given, in bytes as the caller counts them (Linux reports twice that). */
  readonly requestedBytes: number;
  readonly grantedBytes: number;
  /** Socket inode, 0 where it cannot be known: the key of its line in /proc/net/udp. */
  readonly inode: number;
  readonly datagrams: number;
  /** UDP payload bytes received. */
  readonly bytes: number;
}

/** Reads datagrams from sockets; two implementations with the same behaviour. */
export interface Receiver {
  readonly kind: 'recvmmsg' | 'dgram';
  /** Binds all sockets, or none and rejects. */
  start(): Promise<void>;
  /** Reads what is still in the kernel's buffers, then closes the sockets. */
  stop(): Promise<void>;
  sockets(): readonly SocketStatus[];
  /** Datagrams that were longer than the buffer (X04). */
  truncated(): number;
}

export interface ReceiverConfig {
  readonly listen: readonly Endpoint[];
  readonly receiveBufferBytes: number;
}

/** A parsed entry of `listen`. */
export interface Endpoint {
  /** Text form without brackets; `::` takes IPv4 too. */
  readonly address: string;
  readonly port: number;
}

/** `[::]:2055`, `192.0.2.1:2055`, `*:2055`, `2055`; null when it is none of them. */
export function parseEndpoint(text: string): Endpoint | null {
  const match = /^(?:\[([^\]]+)\]:|([^:[\]]+):)?([0-9]{1,5})$/.exec(text.trim());
  if (!match) return null;
  const port = Number(match[3]);
  const named = match[1] ?? match[2] ?? '*';
  const address = named === '*' ? '::' : named;
  return port <= 65_535 && parseAddress(address) ? { address, port } : null;
}
