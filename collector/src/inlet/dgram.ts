import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { addressWords, parseAddress } from '@ringflow/contract';
import type { DatagramSink, Endpoint, Receiver, ReceiverConfig, SocketStatus } from './receiver.ts';

/** Senders whose address was parsed; cleared when full, because parsing again is cheap. */
const MAX_PARSED = 8192;

interface OpenSocket {
  readonly socket: Socket;
  readonly status: Omit<SocketStatus, 'datagrams' | 'bytes'>;
  readonly counts: { datagrams: number; bytes: number };
}

/** Reads datagrams through Node's own sockets: works everywhere, one call-back per datagram. */
export function createDgramReceiver(config: ReceiverConfig, sink: DatagramSink): Receiver {
  const sockets: OpenSocket[] = [];
  const parsed = new Map<string, Int32Array>();
  let settling = false;
  let stopped = false;

  function onMessage(counts: OpenSocket['counts'], bytes: Uint8Array, from: RemoteInfo): void {
    if (stopped) return;
    counts.datagrams++;
    counts.bytes += bytes.length;
    let words = parsed.get(from.address);
    if (!words) {
      if (parsed.size >= MAX_PARSED) parsed.clear();
      // A link-local sender has its interface behind a percent sign.
      const address = parseAddress(from.address.replace(/%.*$/, ''));
      words = new Int32Array(address ? addressWords(address).buffer : new ArrayBuffer(16));
      parsed.set(from.address, words);
    }
    sink.datagram(bytes, words, 0, from.port);
    if (!settling) {
      settling = true;
      setImmediate(settle);
    }
  }

  function settle(): void {
    settling = false;
    if (!stopped) sink.settled();
  }

  async function open(endpoint: Endpoint): Promise<void> {
    const counts = { datagrams: 0, bytes: 0 };
    const receive = (bytes: Uint8Array, from: RemoteInfo): void => onMessage(counts, bytes, from);
    let socket: Socket;
    try {
      socket = await bind(endpoint.address.includes(':') ? 'udp6' : 'udp4', endpoint, receive);
    } catch (error) {
      // A host without IPv6.
      if (endpoint.address !== '::' || (error as NodeJS.ErrnoException).code !== 'EAFNOSUPPORT') throw error;
      socket = await bind('udp4', { ...endpoint, address: '0.0.0.0' }, receive);
    }
    // Linux reports twice what it was asked for (socket(7)).
    const reported = socket.getRecvBufferSize();
    const { address, port } = socket.address();
    sockets.push({
      socket,
      counts,
      status: {
        address,
        port,
        requestedBytes: config.receiveBufferBytes,
        grantedBytes: process.platform === 'linux' ? reported / 2 : reported,
        // Node does not publish the descriptor: kernel drops are looked up by port.
        inode: 0,
      },
    });
  }

  function bind(
    type: 'udp4' | 'udp6',
    endpoint: Endpoint,
    receive: (bytes: Uint8Array, from: RemoteInfo) => void,
  ): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = createSocket({ type, ipv6Only: false });
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.bind({ address: endpoint.address, port: endpoint.port, exclusive: true }, () => {
        try {
          // Some systems refuse more than they allow instead of giving what they do.
          for (let bytes = config.receiveBufferBytes; bytes >= 65_536; bytes = Math.floor(bytes / 2)) {
            if (setReceiveBuffer(socket, bytes)) break;
          }
          socket.removeAllListeners('error');
          // An ICMP answer to nothing we sent; the socket goes on.
          socket.on('error', () => undefined);
          socket.on('message', receive);
          resolve(socket);
        } catch (error) {
          socket.close();
          reject(error as Error);
        }
      });
    });
  }

  async function close(): Promise<void> {
    await Promise.all(
      sockets.splice(0).map(({ socket }) => new Promise<void>((resolve) => socket.close(() => resolve()))),
    );
  }

  return {
    kind: 'dgram',
    async start() {
      try {
        for (const endpoint of config.listen) await open(endpoint);
      } catch (error) {
        await close();
        throw error;
      }
    },
    async stop() {
      if (stopped) return;
      // Two turns of the event loop: what the kernel already has is read in the first, at most 32 per socket each.
      for (let turns = 0; turns < 64; turns++) {
        const before = settling;
        await new Promise<void>((resolve) => setImmediate(resolve));
        if (turns > 1 && !before && !settling) break;
      }
      stopped = true;
      sink.settled();
      await close();
    },
    sockets: () => sockets.map(({ status, counts }) => ({ ...status, ...counts })),
    truncated: () => 0,
  };
}

function setReceiveBuffer(socket: Socket, bytes: number): boolean {
  try {
    socket.setRecvBufferSize(bytes);
    return true;
  } catch {
    return false;
  }
}
