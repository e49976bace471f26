import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';

/** What was sent, so that it can be compared with what is stored. */
export interface Sent {
  records: number;
  bytes: number;
  packets: number;
}

/**
 * Sends NetFlow v5 datagrams of 30 records at a steady pace. Every record has another number of bytes and another source
 * address, so that a lost or doubled one shows in the sums.
 */
export function createSender(port: number): {
  send(datagrams: number): Promise<void>;
  readonly sent: Readonly<Sent>;
  close(): void;
} {
  const socket = createSocket('udp4');
  const sent: Sent = { records: 0, bytes: 0, packets: 0 };
  const bootMs = Date.now() - 3_600_000;

  function datagram(): Buffer {
    const buffer = Buffer.alloc(24 + 30 * 48);
    const nowMs = Date.now();
    const uptimeMs = nowMs - bootMs;
    buffer.writeUInt16BE(5, 0);
    buffer.writeUInt16BE(30, 2);
    buffer.writeUInt32BE(uptimeMs, 4);
    buffer.writeUInt32BE(Math.floor(nowMs / 1000), 8);
    buffer.writeUInt32BE((nowMs % 1000) * 1_000_000, 12);
    buffer.writeUInt32BE(sent.records, 16);
    for (let i = 0; i < 30; i++) {
      const at = 24 + i * 48;
      const bytes = 1000 + (sent.records % 9973);
      buffer.writeUInt32BE(0x0a000000 + sent.records, at);
      buffer.writeUInt32BE(0xc0000201, at + 4);
      buffer.writeUInt16BE(1, at + 12);
      buffer.writeUInt16BE(2, at + 14);
      buffer.writeUInt32BE(3, at + 16);
      buffer.writeUInt32BE(bytes, at + 20);
      buffer.writeUInt32BE(uptimeMs - 70_000, at + 24);
      buffer.writeUInt32BE(uptimeMs - 10, at + 28);
      buffer.writeUInt16BE(40_000 + (i % 100), at + 32);
      buffer.writeUInt16BE(53, at + 34);
      buffer.writeUInt8(17, at + 38);
      sent.records += 1;
      sent.bytes += bytes;
      sent.packets += 3;
    }
    return buffer;
  }

  return {
    sent,
    send: async (datagrams) => {
      for (let i = 0; i < datagrams; i++) {
        await new Promise<void>((resolve, reject) =>
          socket.send(datagram(), port, '127.0.0.1', (error: Error | null) => (error ? reject(error) : resolve())),
        );
        if (i % 20 === 19) await sleep(5);
      }
    },
    close: () => socket.close(),
  };
}

/** A UDP port that nobody uses right now. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}
