import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressWords, COLUMNS, parseAddress } from '@ringflow/contract';
import {
  createBatch,
  createDatagramInfo,
  createDecoder,
  readPcap,
  resetBatch,
  WIRE_DEFAULTS,
  type PcapDatagram,
} from '../wire/index.ts';
import { decodeCapture, loadManifest, readCapture, readRow, type Row } from '../wire/testing/captures.ts';
import { pcapOf } from '../wire/testing/packets.ts';
import { runCommandLine } from './index.ts';

const manifest = loadManifest();
const folder = mkdtempSync(join(tmpdir(), 'ringflow-replay-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Received {
  readonly address: string;
  readonly port: number;
  readonly payload: Uint8Array;
  /** Since the replay began. */
  readonly atMs: number;
}

/** A socket that takes what `ringflow replay` sends. */
async function replay(file: string, options: readonly string[] = [], watched = false) {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const received: Received[] = [];
  const begunMs = performance.now();
  socket.on(
    'message',
    (payload, { address, port }) => void received.push({ address, port, payload, atMs: performance.now() - begunMs }),
  );
  const target = `127.0.0.1:${(socket.address() as AddressInfo).port}`;
  const result = await command(['replay', file, '--target', target, ...options], watched);
  // What was sent is in the buffer of the socket already.
  for (let last = -1; last !== received.length;) {
    last = received.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  socket.close();
  return { ...result, received };
}

async function command(argv: readonly string[], watched = false) {
  let out = '';
  let errors = '';
  const code = await runCommandLine(argv, {
    out: (text) => void (out += text),
    err: (text) => void (errors += text),
    watched,
  });
  return { code, out, errors };
}

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Rows that a decoder behind the socket makes of what came, in order, at the times of the capture. */
function decodeReceived(received: readonly Received[], arrivalMs: readonly number[]): Row[] {
  const decoder = createDecoder(WIRE_DEFAULTS, { options: () => undefined, counters: () => undefined });
  const batch = createBatch({ rowLimit: 0, columns: COLUMNS });
  const info = createDatagramInfo();
  const rows: Row[] = [];
  const take = () => {
    for (let row = 0; row < batch.rows; row++) rows.push(readRow(batch, row));
    resetBatch(batch);
  };
  for (const [index, { address, port, payload }] of received.entries()) {
    const words = addressWords(parseAddress(address) as Uint8Array);
    decoder.decode(payload, { address, port, words }, arrivalMs[index] as number, batch, info);
    take();
    while (decoder.replay(batch, info) >= 0) take();
  }
  return rows;
}

/** What a datagram holds, without who sent it. */
const contents = ({ sampler_address: _sampler, ...row }: Row): Row => row;

(manifest ? test : test.skip)(
  'the rows of the interleaved captures are the same through a socket as from the file',
  async () => {
    if (!manifest) return;
    const bytes = readCapture(manifest, manifest.interleaved.pcap);
    const sent: PcapDatagram[] = [...readPcap(bytes)].map((datagram) => ({
      ...datagram,
      payload: datagram.payload.slice(),
    }));
    const { code, out, errors, received } = await replay(write('interleaved.pcap', bytes), ['--rate', '2000']);
    expect([code, errors]).toEqual([0, '']);
    expect(received.map(({ payload }) => Buffer.from(payload).toString('hex'))).toEqual(
      sent.map(({ payload }) => Buffer.from(payload).toString('hex')),
    );

    const keys = new Map<string, Set<string>>();
    sent.forEach(({ source }, index) => {
      const key = `${source.address} ${source.port}`;
      const { address, port } = received[index] as Received;
      keys.set(key, (keys.get(key) ?? new Set()).add(`${address} ${port}`));
    });
    // One source port each, and never two exporters on one.
    expect([...keys.values()].every(({ size }) => size === 1)).toBe(true);
    expect(new Set([...keys.values()].flatMap((used) => [...used])).size).toBe(keys.size);
    const exporters = new Set(sent.map(({ source }) => source.address)).size;
    expect(out).toMatch(
      new RegExp(
        `^Sent ${sent.length} datagrams \\([0-9,]+ bytes\\) of ${exporters} exporters .*to 127\\.0\\.0\\.1:[0-9]+ in [0-9.]+ s \\([0-9,]+/s\\)\n`,
      ),
    );

    const expected = decodeCapture(bytes, (sink) => createDecoder(WIRE_DEFAULTS, sink)).rows;
    const rows = decodeReceived(
      received,
      sent.map(({ arrivalMs }) => arrivalMs),
    );
    expect(rows.length).toBe(expected.length);
    expect(rows.map(contents)).toEqual(expected.map(contents));
  },
);

test('loops keep the source ports, the rate holds, progress shows only where somebody watches', async () => {
  const file = write(
    'two.pcap',
    pcapOf([1, 2, 1, 2, 1].map((host, index) => ({ payload: Uint8Array.of(0, 5, index), host }))),
  );
  const { code, out, errors, received } = await replay(file, ['--loop', '20', '--rate', '100'], true);
  expect(code).toBe(0);
  expect(received.map(({ payload }) => payload[2])).toEqual(Array.from({ length: 100 }, (_, index) => index % 5));
  expect(new Set(received.map(({ port }) => port)).size).toBe(2);
  const seconds = ((received[99] as Received).atMs - (received[0] as Received).atMs) / 1000;
  expect(seconds).toBeGreaterThan(0.7);
  expect(out).toMatch(/^Sent 100 datagrams \(300 bytes\) of 2 exporters .*, 20 loops\n/);
  expect(errors).toMatch(/\r\d+ %, \d+ datagrams sent/);
  expect((await replay(file)).errors).toBe('');
});

test('an exporter whose address this machine has keeps it', async () => {
  const file = write('local.pcap', pcapOf([{ payload: Uint8Array.of(1) }]));
  const bytes = new Uint8Array([...pcapOf([{ payload: Uint8Array.of(1) }])]);
  // Source address of the one packet: after file and record header and 12 bytes of IPv4.
  bytes.set([127, 0, 0, 1], 24 + 16 + 12);
  expect((await replay(write('loopback.pcap', bytes))).received.map(({ address }) => address)).toEqual(['127.0.0.1']);
  const { out, received } = await replay(file);
  expect(received[0]?.address).toMatch(/^127\./);
  expect(out).toContain('1 exporter sent from another address than in the capture, for example 10.0.0.1 from 127.');
});

test('--original-timing keeps the pauses of the capture', async () => {
  const start = 1_700_000_000_000;
  const file = write(
    'timed.pcap',
    pcapOf([0, 100, 400].map((offset) => ({ payload: Uint8Array.of(1), atMs: start + offset }))),
  );
  const { received } = await replay(file, ['--original-timing']);
  // Whatever else the machine does, none arrives before its time.
  expect(received).toHaveLength(3);
  expect(received[1]?.atMs).toBeGreaterThan(95);
  expect(received[2]?.atMs).toBeGreaterThan(395);
});

test('datagrams that the capture does not hold whole are left out and named', async () => {
  const whole = pcapOf([{ payload: new Uint8Array(100) }, { payload: new Uint8Array(50) }]);
  const { code, received, errors } = await replay(write('cut.pcap', whole.subarray(0, whole.length - 5)));
  expect([code, received.length]).toEqual([0, 1]);
  expect(errors).toBe('Not sent:\n  the file ends in the middle of a packet\n');
});

test.each([
  [['replay'], 2, 'One file is needed', 'Name a capture'],
  [['replay', 'absent.pcap'], 1, 'Cannot read absent.pcap', 'exists'],
  [
    ['replay', 'absent.pcap', '--target', '127.0.0.1'],
    2,
    '--target takes HOST:PORT, not "127.0.0.1"',
    '--target 127.0.0.1:2055',
  ],
  [['replay', 'absent.pcap', '--rate', '0'], 2, '--rate takes a positive number, not "0"', '--rate 1000'],
  [['replay', 'absent.pcap', '--loop', '1.5'], 2, '--loop takes a whole number', '--loop 10'],
  [['replay', 'absent.pcap', '--rate', '5', '--original-timing'], 2, 'exclude each other', 'one of them'],
])('%j fails with the way out', async (argv, expected, message, hint) => {
  const { code, errors } = await command(argv);
  const [first, second] = errors.split('\n');
  expect([code, first]).toEqual([expected, expect.stringContaining(message)]);
  expect(second).toContain(hint);
});

test('a file that is no capture, and a target where nobody listens', async () => {
  const text = await replay(write('text.pcap', new TextEncoder().encode('just text, and more of it, no capture')));
  expect([text.code, text.errors]).toEqual([
    1,
    expect.stringMatching(/is not a packet capture .*\n {2}Record one with "tcpdump/),
  ]);
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address() as AddressInfo;
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  const file = write('one.pcap', pcapOf([{ payload: Uint8Array.of(1) }]));
  const { code, errors } = await command(['replay', file, '--target', `127.0.0.1:${port}`]);
  expect([code, errors]).toEqual([
    1,
    `ringflow: Nothing listens at 127.0.0.1:${port} (UDP)\n  Start the collector there with "ringflow serve", or name another --target\n`,
  ]);
});
