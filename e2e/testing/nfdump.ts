import { createSocket } from 'node:dgram';
import { mkdtempSync, readdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { until } from '../../collector/src/cli/testing/collector.ts';
import { startProgram } from './programs.ts';
import type { Totals } from './traffic.ts';

/** Lets nfcapd write a file of what `send` sends to it. */
export async function captureWithNfcapd(folder: string, send: (port: number) => Promise<void>): Promise<string> {
  const directory = mkdtempSync(join(folder, 'nfcapd-'));
  const port = await freePort();
  const nfcapd = startProgram(
    'nfcapd',
    ['-b', '127.0.0.1', '-p', String(port), '-w', directory, '-t', '3600'],
    folder,
    20_000,
  );
  await until(
    async () => nfcapd.output().includes('Startup'),
    5000,
    () => `nfcapd listens:\n${nfcapd.output()}`,
  );
  await send(port);
  // The socket holds it all: time to read it before the signal. The caller compares the file with what was sent.
  await new Promise((resolve) => setTimeout(resolve, 500));
  nfcapd.kill('SIGTERM');
  const { stdout, stderr } = await nfcapd.ended;
  const file = readdirSync(directory).find((name) => /^nfcapd\.\d+$/.test(name));
  if (file === undefined) throw new Error(`nfcapd wrote no file:\n${stdout}${stderr}`);
  return join(directory, file);
}

/** What `nfdump -I` says about a file. */
export async function readNfdumpTotals(file: string, folder: string): Promise<Totals> {
  const { code, stdout, stderr } = await startProgram('nfdump', ['-I', '-r', file], folder, 10_000).ended;
  const value = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(stdout)?.[1] ?? NaN);
  if (code !== 0) throw new Error(`nfdump ended with ${code}:\n${stdout}${stderr}`);
  return { records: value('Flows'), bytes: value('Bytes'), packets: value('Packets') };
}

/** Sends the flows of a file, as the exporter would have. */
export async function replayWithNfreplay(
  version: 5 | 9,
  file: string,
  target: { folder: string; port: number },
): Promise<void> {
  const options = ['-H', '127.0.0.1', '-p', String(target.port), '-v', String(version), '-d', '100'];
  const { code, stdout, stderr } = await startProgram('nfreplay', ['-r', file, ...options], target.folder, 20_000)
    .ended;
  if (code !== 0) throw new Error(`nfreplay ended with ${code}:\n${stdout}${stderr}`);
}

/** A UDP port that was free a moment ago; nfcapd cannot choose one. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address() as AddressInfo;
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}
