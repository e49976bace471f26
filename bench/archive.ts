import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdirSync } from 'node:fs';
import { constants } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { freePort, queueBytes, receiveBufferBytes } from './collectors.ts';
import { waitFor } from './measure.ts';

/** nfcapd, writing what it is sent to files that nfdump is asked about afterwards. */
export interface Archive {
  /** Resolves when the datagram is on its way; waits for nfcapd, so that none is lost. */
  send(datagram: Uint8Array): Promise<void>;
  /** Ends nfcapd and says how many records it wrote. */
  stop(): Promise<number>;
}

/** Datagrams between two looks at the receive buffer: fewer than it holds, whatever their size. */
const LOOK_EVERY = 32;

export function hasNfdump(): boolean {
  return !spawnSync('nfcapd', ['-V']).error && !spawnSync('nfdump', ['-V']).error;
}

/** Starts nfcapd as it is when nothing is said: not compressing, which makes nfdump read fastest. */
export async function startArchive(directory: string): Promise<Archive> {
  mkdirSync(directory, { recursive: true });
  const port = await freePort();
  const child = spawn(
    'nfcapd',
    ['-w', directory, '-p', String(port), '-b', '127.0.0.1', '-B', String(receiveBufferBytes()), '-t', '3600'],
    { stdio: 'ignore' },
  );
  await waitFor(() => (queueBytes(port) === null ? undefined : true), 10_000, 'nfcapd');
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
  let sent = 0;
  const fullBytes = receiveBufferBytes() / 2;
  return {
    async send(datagram) {
      await new Promise<void>((resolve, reject) =>
        socket.send(datagram, (error) => (error ? reject(error) : resolve())),
      );
      if (++sent % LOOK_EVERY === 0) while ((queueBytes(port) ?? 0) > fullBytes) await turn();
    },
    async stop() {
      await waitFor(() => (queueBytes(port) === 0 ? true : undefined), 30_000, 'nfcapd');
      socket.close();
      await new Promise((resolve) => {
        child.once('exit', resolve);
        child.kill(constants.signals.SIGTERM);
      });
      const { stdout } = spawnSync('nfdump', ['-R', directory, '-I'], { encoding: 'latin1' });
      return Number(/^Flows: (\d+)$/m.exec(stdout)?.[1]);
    },
  };
}

/** Over all records, as nfdump and we say it. */
export const TOPS: readonly {
  readonly field: string;
  readonly statistic: string;
  readonly filter: string;
  readonly nfdump: string;
}[] = [
  { field: 'src_addr', statistic: 'srcip', filter: '', nfdump: '' },
  { field: 'dst_addr', statistic: 'dstip', filter: '', nfdump: '' },
  { field: 'dst_port', statistic: 'dstport', filter: '', nfdump: '' },
  {
    field: 'src_addr',
    statistic: 'srcip',
    filter: 'dst_addr in 10.0.0.0/8 and src_port = 443 and proto = tcp',
    nfdump: 'dst net 10.0.0.0/8 and src port 443 and proto tcp',
  },
];

/** Value and bytes of each row of a statistic. */
export type Top = readonly { readonly key: string; readonly bytes: number }[];

/** One run of nfdump over the archive. */
export interface NfdumpRun {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly top: Top;
}

/** `nfdump -s <statistic> -n 10` over all files of the archive. */
export function nfdumpTop(directory: string, statistic: string, filter: string): NfdumpRun {
  const began = performance.now();
  const { stdout, stderr, status } = spawnSync(
    'bash',
    [
      '-c',
      'TIMEFORMAT="cpu %U %S"; time nfdump -R "$0" -q -o csv -n 10 -s "$1" "$2"',
      directory,
      `${statistic}/bytes`,
      filter === '' ? 'any' : filter,
    ],
    { encoding: 'utf8' },
  );
  const wallMs = performance.now() - began;
  if (status !== 0) throw new Error(`nfdump ended with ${status}: ${stderr}`);
  const [, user, system] = /^cpu ([\d.]+) ([\d.]+)$/m.exec(stderr) ?? [];
  // ts,te,td,pr,val,fl,flP,pkt,pktP,byt,bytP,pps,bps,bpp
  const top = stdout
    .split('\n')
    .map((line) => line.split(','))
    .filter((cells) => cells.length >= 14 && /^\d{4}-/.test(cells[0] as string))
    .map((cells) => ({ key: (cells[4] as string).trim(), bytes: Number(cells[9]) }));
  return { wallMs, cpuMs: (Number(user) + Number(system)) * 1000, top };
}

/** Part of its bytes that a row of a top list may lack: where it was too small to be named for a while. */
export const NOT_NAMED = 0.01;

/** A benchmark of two programs that answer differently says nothing. nfdump shows ports as numbers. */
export function expectSame(ours: Top, theirs: Top, what: string, lacking: number): void {
  const same = ours.every(({ bytes }, row) => {
    const all = theirs[row]?.bytes ?? Number.NaN;
    return bytes <= all && bytes >= all * (1 - lacking);
  });
  if (!same || ours.length !== theirs.length)
    throw new Error(`top 10 ${what}: ${JSON.stringify(ours)} here, ${JSON.stringify(theirs)} in nfdump`);
}
