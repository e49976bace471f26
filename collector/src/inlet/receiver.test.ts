import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatAddress } from '@ringflow/contract';
import { readKernelDrops } from './kernel-drops.ts';
import { createReceiver } from './create-receiver.ts';
import { parseEndpoint, type DatagramSink, type Receiver } from './receiver.ts';
import { createRecvmmsgReceiver, recvmmsgProblem } from './recvmmsg.ts';

interface Got {
  text: string;
  address: string;
  port: number;
}

function collect(): DatagramSink & { got: Got[]; settledCalls: number } {
  const sink = {
    got: [] as Got[],
    settledCalls: 0,
    datagram(bytes: Uint8Array, address: Int32Array, at: number, port: number): void {
      const words = new Uint32Array(address.slice(at, at + 4).buffer);
      sink.got.push({ text: Buffer.from(bytes).toString('latin1'), address: formatAddress(words, 0), port });
    },
    settled(): void {
      sink.settledCalls++;
    },
  };
  return sink;
}

async function openSender(type: 'udp4' | 'udp6'): Promise<Socket> {
  const socket = createSocket(type);
  await new Promise<void>((done) => socket.bind(0, type === 'udp4' ? '127.0.0.1' : '::1', done));
  return socket;
}

const send = (socket: Socket, text: string | Uint8Array, port: number): Promise<void> =>
  new Promise((done, failed) =>
    socket.send(text, port, socket.address().family === 'IPv4' ? '127.0.0.1' : '::1', (error) =>
      error ? failed(error) : done(),
    ),
  );

async function until(condition: () => boolean, timeoutMs = 5000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!condition() && Date.now() < end) await sleep(2);
}

const kinds = recvmmsgProblem() === null ? (['recvmmsg', 'dgram'] as const) : (['dgram'] as const);

describe.each(kinds)('%s', (kind) => {
  const open: Receiver[] = [];
  const senders: Socket[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((receiver) => receiver.stop()));
    for (const socket of senders.splice(0)) socket.close();
  });

  async function listen(
    sink: DatagramSink,
    addresses: readonly string[] = ['::'],
    receiveBufferBytes = 1 << 20,
  ): Promise<Receiver> {
    const receiver = createReceiver(
      kind,
      { listen: addresses.map((address) => ({ address, port: 0 })), receiveBufferBytes },
      sink,
    );
    await receiver.start();
    open.push(receiver);
    return receiver;
  }

  test('F24 IPv4 and IPv6 on one socket, in order, with the sender of each', async () => {
    const sink = collect();
    const port = (await listen(sink)).sockets()[0]!.port;
    const four = await openSender('udp4');
    const six = await openSender('udp6');
    senders.push(four, six);
    for (let i = 0; i < 300; i++) await send(i % 3 === 0 ? six : four, `number ${i} ${'x'.repeat(i * 7)}`, port);
    await until(() => sink.got.length === 300);
    const expected = Array.from({ length: 300 }, (_, i) => ({
      text: `number ${i} ${'x'.repeat(i * 7)}`,
      address: i % 3 === 0 ? '::1' : '127.0.0.1',
      port: (i % 3 === 0 ? six : four).address().port,
    }));
    expect(sink.got).toEqual(expected);
    expect(sink.settledCalls).toBeGreaterThan(0);
  });

  test('X04 the longest UDP payload arrives whole, an empty one too', async () => {
    const sink = collect();
    const receiver = await listen(sink);
    const four = await openSender('udp4');
    senders.push(four);
    await send(four, 'y'.repeat(65_507), receiver.sockets()[0]!.port);
    await send(four, '', receiver.sockets()[0]!.port);
    await until(() => sink.got.length === 2);
    expect(sink.got.map(({ text }) => text.length)).toEqual([65_507, 0]);
    expect(receiver.truncated()).toBe(0);
    expect(receiver.sockets()[0]).toMatchObject({ datagrams: 2, bytes: 65_507 });
  });

  test('several sockets, each counted for itself', async () => {
    const sink = collect();
    const receiver = await listen(sink, ['::', '127.0.0.1', '::1']);
    const four = await openSender('udp4');
    const six = await openSender('udp6');
    senders.push(four, six);
    const [any, only4, only6] = receiver.sockets();
    await send(four, 'a', any!.port);
    await send(four, 'b', only4!.port);
    await send(six, 'c', only6!.port);
    await until(() => sink.got.length === 3);
    expect(sink.got.map(({ text, address }) => `${text} ${address}`).sort()).toEqual([
      'a 127.0.0.1',
      'b 127.0.0.1',
      'c ::1',
    ]);
    expect(receiver.sockets().map(({ datagrams }) => datagrams)).toEqual([1, 1, 1]);
  });

  test('a port that is taken is an error with its code, and nothing stays open', async () => {
    const first = await listen(collect());
    const { port } = first.sockets()[0]!;
    const second = createReceiver(
      kind,
      {
        listen: [
          { address: '::', port: 0 },
          { address: '::', port },
        ],
        receiveBufferBytes: 65_536,
      },
      collect(),
    );
    await expect(second.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(second.sockets()).toEqual([]);
  });

  test('what arrived before the end is handed on', async () => {
    const sink = collect();
    const receiver = await listen(sink);
    const four = await openSender('udp4');
    senders.push(four);
    for (let i = 0; i < 50; i++) await send(four, String(i), receiver.sockets()[0]!.port);
    await receiver.stop();
    expect(sink.got.map(({ text }) => Number(text))).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  test('Q09 the granted buffer is read back, and what overflows it is counted by the kernel', async () => {
    const sink = collect();
    const receiver = await listen(sink, ['::'], 65_536);
    const socket = receiver.sockets()[0]!;
    expect(socket).toMatchObject({ requestedBytes: 65_536, grantedBytes: 65_536 });
    if (process.platform !== 'linux') return;
    const four = await openSender('udp4');
    senders.push(four);
    // All sends happen within one turn of the event loop: nobody reads meanwhile.
    const sent = Array.from({ length: 2000 }, () => send(four, 'z'.repeat(1000), socket.port));
    await Promise.all(sent);
    await sleep(100);
    const { drops } = readKernelDrops([socket]).sockets[0]!;
    expect(drops).toBeGreaterThan(0);
    expect(sink.got.length + drops).toBe(2000);
  });
});

(recvmmsgProblem() === null ? test : test.skip)(
  'X04 a datagram longer than the buffer is cut and counted',
  async () => {
    const sink = collect();
    const receiver = createRecvmmsgReceiver(
      { listen: [{ address: '::', port: 0 }], receiveBufferBytes: 1 << 20 },
      sink,
      2048,
    );
    await receiver.start();
    const four = await openSender('udp4');
    await send(four, 'q'.repeat(3000), receiver.sockets()[0]!.port);
    await send(four, 'r'.repeat(2048), receiver.sockets()[0]!.port);
    await until(() => sink.got.length === 2);
    expect(sink.got.map(({ text }) => text.length)).toEqual([2048, 2048]);
    expect(receiver.truncated()).toBe(1);
    four.close();
    await receiver.stop();
  },
);

test.each([
  ['2055', { address: '::', port: 2055 }],
  ['*:2055', { address: '::', port: 2055 }],
  ['[::]:4739', { address: '::', port: 4739 }],
  ['192.0.2.1:6343', { address: '192.0.2.1', port: 6343 }],
  ['[2001:db8::1]:9995', { address: '2001:db8::1', port: 9995 }],
  ['::1:2055', null],
  ['example.org:2055', null],
  ['65536', null],
])('endpoint %s', (text, expected) => {
  expect(parseEndpoint(text)).toEqual(expected);
});
