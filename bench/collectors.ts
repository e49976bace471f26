import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createChannel } from '../collector/src/cli/processes/channel.ts';
import type { InletEvents, InletMethods } from '../collector/src/cli/processes/messages.ts';
import { CONFIG_DEFAULTS, type Config } from '../collector/src/config/index.ts';
import type { InletStatus } from '../collector/src/inlet/index.ts';
import { formatSegmentName, parseSegmentName } from '../collector/src/spool/index.ts';
import { waitFor } from './measure.ts';

/** A collector under test, as a process of its own that writes what it receives to disk. */
export interface Collector {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** Resolves when all that the kernel had for it is read and written. */
  settle(): Promise<void>;
  /** Records written so far; undefined where that is only known at the end. */
  written(): number | undefined;
  /** Stops it and says how many records it wrote since it was started. */
  stop(): Promise<number>;
}

/**
 * Where the collectors write. A flood of records is more than most disks can sync, so it goes to memory where there is
 * a file system for that: what is compared is the processors' work.
 */
export type Medium = 'disk' | 'memory';

function makeDirectory(medium: Medium): string {
  const base = medium === 'memory' && existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  return mkdtempSync(join(base, 'ringflow-bench-'));
}

/** The same for both, and what the kernel gives without privileges. */
export function receiveBufferBytes(): number {
  return Number(readFileSync('/proc/sys/net/core/rmem_max', 'latin1'));
}

/** Bytes that wait in the kernel for a UDP port, null when nobody listens. */
export function queueBytes(port: number): number | null {
  const local = new RegExp(
    `^\\s*\\d+: [0-9A-F]+:${port.toString(16).toUpperCase().padStart(4, '0')} \\S+ \\S+ [0-9A-F]+:([0-9A-F]+)`,
  );
  for (const file of ['/proc/net/udp', '/proc/net/udp6']) {
    for (const line of readFileSync(file, 'latin1').split('\n')) {
      const match = local.exec(line);
      if (match) return Number.parseInt(match[1] as string, 16);
    }
  }
  return null;
}

async function drained(port: number): Promise<void> {
  await waitFor(() => (queueBytes(port) === 0 ? true : undefined), 30_000, 'an empty receive buffer');
}

/** Ringflow's own inlet process, started as main starts it: sockets to sealed segments. */
export async function startRingflow(bundle: string, medium: Medium): Promise<Collector> {
  const directory = makeDirectory(medium);
  const child = fork(bundle, ['process', 'inlet'], {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const channel = createChannel<InletMethods, InletEvents>(child);
  let rows = 0;
  let status: InletStatus | undefined;
  const spool = join(directory, 'spool');
  channel.on('sealed', (sealed) => {
    rows += sealed.rows;
    removeSealed(spool);
  });
  channel.on('status', (latest) => (status = latest));
  const config: Config = {
    ...CONFIG_DEFAULTS,
    data_dir: directory,
    inlet: { ...CONFIG_DEFAULTS.inlet, listen: ['127.0.0.1:0'], receive_buffer_bytes: receiveBufferBytes() },
    log: { ...CONFIG_DEFAULTS.log, level: 'error' },
  };
  const { listeners } = await channel.call('start', [config]);
  const port = listeners[0]?.port as number;
  return {
    name: 'Ringflow',
    pid: child.pid as number,
    port,
    async settle() {
      await drained(port);
      const before = status;
      // A status made after everything was read, with nothing left in memory.
      await waitFor(
        () => (status !== before && status?.waitingRecords === 0 ? true : undefined),
        30_000,
        'the last segment',
      );
    },
    written: () => rows,
    async stop() {
      await channel.call('stop', []);
      await ended(child, () => child.disconnect());
      rmSync(directory, { recursive: true, force: true });
      // What was not sealed is in the ledger: the disk was too slow.
      if (rows !== status?.ledger.sealedRecords || status.records !== status.ledger.receivedRecords)
        throw new Error(
          `${status?.records} records were decoded, ${rows} sealed; the ledger has ${JSON.stringify(status?.ledger)}`,
        );
      return rows;
    },
  };
}

/** What the store would do: otherwise the spool grows by a hundred megabytes per second. */
function removeSealed(spool: string): void {
  for (const name of readdirSync(spool)) {
    const segment = parseSegmentName(name);
    if (segment?.state === 'native') unlinkSync(join(spool, formatSegmentName(segment)));
  }
}

/** nfdump's collector, not compressing, as it is when nothing is said. Null where it is not installed. */
export async function startNfcapd(medium: Medium): Promise<Collector | null> {
  if (spawnSync('nfcapd', ['-V']).error) return null;
  const directory = makeDirectory(medium);
  const port = await freePort();
  const child = spawn(
    'nfcapd',
    [
      '-w',
      directory,
      '-p',
      String(port),
      '-b',
      '127.0.0.1',
      '-B',
      String(receiveBufferBytes()),
      '-t',
      '3600',
      '-I',
      'bench',
    ],
    { stdio: 'ignore' },
  );
  await waitFor(() => (queueBytes(port) === null ? undefined : true), 10_000, 'nfcapd');
  return {
    name: nfcapdName(),
    pid: child.pid as number,
    port,
    async settle() {
      await drained(port);
      await new Promise((resolve) => setTimeout(resolve, 200));
    },
    written: () => undefined,
    async stop() {
      await ended(child, () => child.kill(constants.signals.SIGTERM));
      const { stdout } = spawnSync('nfdump', ['-R', directory, '-I'], { encoding: 'latin1' });
      rmSync(directory, { recursive: true, force: true });
      return Number(/^Flows: (\d+)$/m.exec(stdout)?.[1]);
    },
  };
}

/** `nfcapd 1.7.1`. */
function nfcapdName(): string {
  const { stdout } = spawnSync('nfcapd', ['-V'], { encoding: 'latin1' });
  return `nfcapd ${/Version: (\S+)/.exec(stdout)?.[1] ?? ''}`.trim();
}

/** A UDP port that was free a moment ago; nfcapd cannot choose one. */
export async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

function ended(child: ChildProcess, end: () => void): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    end();
  });
}
