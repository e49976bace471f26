import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Why a capture could not be sent, and the way out. */
export class ReplayError extends Error {
  override readonly name = 'ReplayError';
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** Where the datagrams go. */
export interface ReplayTarget {
  readonly host: string;
  readonly port: number;
  /** As the user wrote it, for messages. */
  readonly text: string;
}

/** What was sent so far. */
export interface ReplayCounts {
  readonly datagrams: number;
  readonly bytes: number;
  /** Source addresses of the capture. */
  readonly exporters: number;
  /** Pairs of source address and port: each has a socket. */
  readonly sockets: number;
  /** Exporters whose own address is not one of this machine. */
  readonly otherAddress: readonly { readonly original: string; readonly used: string }[];
}

/** The exporters of a capture, each with its sockets. */
export interface ReplaySender {
  /** Sends one datagram as the given exporter of the capture; resolves when the kernel has taken it. */
  send(address: string, port: number, payload: Uint8Array): Promise<void>;
  /** Waits for a last refusal: the answer to a datagram comes after it was taken. */
  finish(): Promise<void>;
  counts(): ReplayCounts;
  close(): Promise<void>;
}

/** A host on loopback or nearby has answered by then. */
const REFUSAL_MS = 50;

/**
 * Sends as many exporters. Each source address and port of the capture has a socket, whose port stays the same: a
 * collector keys templates and sequence numbers by both (protocols Q02, T02). The address is the original one where
 * this machine has it. Else, when the target is on loopback, one of 127/8 stands in for it, so that two exporters do not
 * become one; else it is whatever the kernel sends from.
 */
export function createReplaySender(target: ReplayTarget): ReplaySender {
  const sockets = new Map<string, Socket>();
  /** Address of the capture to address used here. */
  const addresses = new Map<string, string>();
  let resolved: { address: string; family: number } | null = null;
  let datagrams = 0;
  let bytes = 0;
  let failure: Error | null = null;

  async function resolveTarget(): Promise<{ address: string; family: number }> {
    try {
      return await lookup(target.host);
    } catch {
      throw new ReplayError(`Cannot find the host of --target ${target.text}`, 'Check its name, or write its address');
    }
  }

  async function open(address: string): Promise<Socket> {
    resolved ??= await resolveTarget();
    const { family } = resolved;
    const known = addresses.get(address);
    const wildcard = family === 6 ? '::' : '0.0.0.0';
    const candidates =
      known === undefined
        ? [
            ...(isIPv4(address) === (family === 4) ? [address] : []),
            ...(resolved.address.startsWith('127.') ? [standIn(addresses.size)] : []),
            wildcard,
          ]
        : [known];
    for (const candidate of candidates) {
      const socket = await bind(candidate, family).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'EMFILE' || error.code === 'ENFILE')
          throw new ReplayError(
            `The capture has too many exporters: no socket left after ${sockets.size}`,
            'Raise the limit of open files with "ulimit -n"',
          );
        return null;
      });
      if (!socket) continue;
      await connect(socket, resolved.address).catch((error: unknown) => {
        socket.close();
        throw error;
      });
      addresses.set(address, candidate === wildcard ? socket.address().address : candidate);
      // The kernel reports with the next call that nobody listens; the event may come first.
      socket.on('error', (error) => (failure ??= error));
      return socket;
    }
    throw new ReplayError(
      `Cannot open a socket to ${target.text}`,
      'Check --target: is its address family available on this machine?',
    );
  }

  function connect(socket: Socket, address: string): Promise<void> {
    return new Promise((resolve, reject) => {
      socket.connect(target.port, address, (error?: Error) =>
        error
          ? reject(
              new ReplayError(
                `Cannot send to ${target.text}: ${error.message}`,
                'Check --target and the routes of this machine',
              ),
            )
          : resolve(),
      );
    });
  }

  function check(error: NodeJS.ErrnoException | null): void {
    if (error?.code === 'ECONNREFUSED')
      throw new ReplayError(
        `Nothing listens at ${target.text} (UDP)`,
        'Start the collector there with "ringflow serve", or name another --target',
      );
    if (error)
      throw new ReplayError(
        `Cannot send to ${target.text}: ${error.message}`,
        'Check --target and the routes of this machine',
      );
  }

  async function send(address: string, port: number, payload: Uint8Array): Promise<void> {
    const key = `${address} ${port}`;
    let socket = sockets.get(key);
    if (!socket) {
      socket = await open(address);
      sockets.set(key, socket);
    }
    const error = await new Promise<Error | null>((resolve) => (socket as Socket).send(payload, resolve));
    check(error ?? failure);
    datagrams += 1;
    bytes += payload.length;
  }

  return {
    send,
    async finish() {
      await sleep(REFUSAL_MS);
      check(failure);
    },
    counts: () => ({
      datagrams,
      bytes,
      exporters: addresses.size,
      sockets: sockets.size,
      otherAddress: [...addresses].flatMap(([original, used]) => (used === original ? [] : [{ original, used }])),
    }),
    async close() {
      await Promise.all(
        [...sockets.values()].map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))),
      );
    },
  };
}

/** 127.77.0.1, 127.77.0.2 …: Linux has all of 127/8, elsewhere the bind fails and the next candidate is tried. */
function standIn(index: number): string {
  return `127.77.${((index + 1) >> 8) & 255}.${(index + 1) & 255}`;
}

function bind(address: string, family: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4', sendBufferSize: 1 << 20 });
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(0, address, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
