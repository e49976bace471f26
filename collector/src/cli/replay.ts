import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPcapReader, type PcapStats } from '../wire/index.ts';
import { EXIT, UsageError, type Arguments, type Io } from './command.ts';
import { createReplaySender, ReplayError, type ReplaySender, type ReplayTarget } from './replay-sender.ts';

/** What `ringflow replay` was asked for. */
export interface ReplayOptions {
  readonly file: string;
  readonly target: ReplayTarget;
  /** Datagrams per second; null = at the times of the capture. */
  readonly rate: number | null;
  /** How often the file is sent. */
  readonly loops: number;
}

/** Fast enough for a capture of hours, slow enough for a collector with the kernel's small default buffer. */
const DEFAULT_RATE = 5000;
/** Pauses shorter than this are made up for later: timers are no finer. */
const SHORTEST_PAUSE_MS = 2;
const PROGRESS_MS = 500;
/** Small, so that the progress of a small file moves too. */
const CHUNK_BYTES = 1 << 14;

/** `ringflow replay FILE.pcap`: sends the UDP payloads of a capture to a collector. */
export async function run(args: Arguments, io: Io): Promise<number> {
  const [file, ...more] = args.positionals;
  if (file === undefined || more.length > 0)
    throw new UsageError('One file is needed', 'Name a capture (pcap or pcapng)');
  const timing = args.flag('original-timing');
  const rate = args.text('rate');
  if (timing && rate !== undefined)
    throw new UsageError('--rate and --original-timing exclude each other', 'Give one of them');
  const options: ReplayOptions = {
    file,
    target: parseTarget(args.text('target') ?? '127.0.0.1:2055'),
    rate: timing ? null : rate === undefined ? DEFAULT_RATE : positive('rate', rate),
    loops: positive('loop', args.text('loop') ?? '1'),
  };
  if (!Number.isInteger(options.loops))
    throw new UsageError(`--loop takes a whole number, not "${options.loops}"`, 'Write for example --loop 10');
  return runReplay(options, io);
}

/**
 * Sends a capture. Every exporter of it keeps a socket of its own through all loops, so that the collector tells them
 * apart as the original one did.
 *
 * @returns exit code: failed when the file cannot be read to its end or nobody receives
 */
export async function runReplay(options: ReplayOptions, io: Io): Promise<number> {
  const { file, target } = options;
  const sizeBytes = await readableSize(file);
  const sender = createReplaySender(target);
  const startedMs = performance.now();
  let stats: PcapStats | undefined;
  let cut = 0;
  let seconds = 0;
  try {
    let pace = createPace(options.rate);
    const progress = createProgress(io);
    for (let loop = 1; loop <= options.loops; loop++) {
      // The pauses of a capture begin anew with it, a rate goes on.
      if (options.rate === null) pace = createPace(null);
      const reader = createPcapReader();
      let readBytes = 0;
      for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
        const before = readBytes;
        readBytes += (chunk as Uint8Array).length;
        let cutBefore = reader.stats.cutDatagrams;
        for (const datagram of reader.push(chunk as Uint8Array)) {
          const whole = reader.stats.cutDatagrams === cutBefore;
          cutBefore = reader.stats.cutDatagrams;
          if (!whole) {
            cut += 1;
            continue;
          }
          const waitMs = pace.waitMs(datagram.arrivalMs + datagram.arrivalNs / 1e6);
          if (waitMs >= SHORTEST_PAUSE_MS) await sleep(waitMs);
          await sender.send(datagram.source.address, datagram.source.port, datagram.payload);
          progress.show(((loop - 1) * sizeBytes + before) / (options.loops * sizeBytes), sender.counts().datagrams);
        }
        if (reader.stats.problem !== null) break;
      }
      stats = reader.finish();
      if (stats.problem === 'not_a_capture')
        throw new ReplayError(
          `${file} is not a packet capture (pcap or pcapng)`,
          'Record one with "tcpdump -w FILE.pcap udp"',
        );
      if (stats.datagrams === 0) break;
    }
    progress.clear();
    seconds = (performance.now() - startedMs) / 1000;
    await sender.finish();
  } finally {
    await sender.close();
  }

  for (const line of summary(options, sender, seconds)) io.out(`${line}\n`);
  const problems = problemsOf(stats, cut);
  if (problems.length > 0) io.err(`Not sent:\n${problems.map((problem) => `  ${problem}\n`).join('')}`);
  return EXIT.ok;
}

/** Milliseconds to wait before a datagram. */
interface Pace {
  waitMs(arrivalMs: number): number;
}

function createPace(rate: number | null): Pace {
  const startedMs = performance.now();
  let count = 0;
  let firstMs: number | undefined;
  return {
    waitMs(arrivalMs) {
      firstMs ??= arrivalMs;
      const dueMs = rate === null ? arrivalMs - firstMs : (count * 1000) / rate;
      count += 1;
      return startedMs + dueMs - performance.now();
    },
  };
}

/** One line that is written over, where somebody watches. */
function createProgress(io: Io) {
  let shownMs = performance.now();
  let length = 0;
  return {
    show(share: number, datagrams: number): void {
      if (!io.watched || performance.now() - shownMs < PROGRESS_MS) return;
      shownMs = performance.now();
      const line = `${Math.floor(share * 100)} %, ${number(datagrams)} datagrams sent`;
      io.err(`\r${line.padEnd(length)}`);
      length = line.length;
    },
    clear(): void {
      if (length > 0) io.err(`\r${' '.repeat(length)}\r`);
    },
  };
}

function summary({ target, loops }: ReplayOptions, sender: ReplaySender, seconds: number): string[] {
  const { datagrams, bytes, exporters, sockets, otherAddress } = sender.counts();
  const perSecond = seconds > 0 ? Math.round(datagrams / seconds) : datagrams;
  const lines = [
    `Sent ${count(datagrams, 'datagram')} (${number(bytes)} bytes) of ${count(exporters, 'exporter')}${sockets === exporters ? '' : ` (${sockets} source ports)`} ` +
      `to ${target.text} in ${seconds.toFixed(1)} s (${number(perSecond)}/s)${loops > 1 ? `, ${loops} loops` : ''}`,
  ];
  const [first] = otherAddress;
  if (first)
    lines.push(
      `${count(otherAddress.length, 'exporter')} sent from another address than in the capture, for example ${first.original} from ${first.used}`,
    );
  return lines;
}

function problemsOf(stats: PcapStats | undefined, cut: number): string[] {
  if (!stats) return [];
  const problems: string[] = [];
  if (stats.datagrams === 0) problems.push('the capture holds no UDP datagrams');
  if (stats.problem === 'cut_off') problems.push('the file ends in the middle of a packet');
  if (stats.problem === 'bad_block') problems.push('the file is damaged, its rest was not read');
  if (stats.otherPackets > 0) problems.push(`packets that are not UDP: ${stats.otherPackets}`);
  if (cut > 0) problems.push(`datagrams cut by the capture's snap length: ${cut} (record with "tcpdump -s 0")`);
  if (stats.lostFragments > 0) problems.push(`IP fragments whose rest is missing: ${stats.lostFragments}`);
  return problems;
}

async function readableSize(file: string): Promise<number> {
  try {
    const found = await stat(file);
    if (found.isDirectory()) throw new Error('it is a directory');
    return found.size;
  } catch (error) {
    throw new ReplayError(
      `Cannot read ${file}: ${(error as Error).message}`,
      'Name a capture that exists and may be read',
    );
  }
}

/** `192.0.2.1:2055`, `[2001:db8::1]:2055`, `collector.example:2055`. */
export function parseTarget(text: string): ReplayTarget {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):([0-9]{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535)
    throw new UsageError(
      `--target takes HOST:PORT, not "${text}"`,
      'Write for example --target 127.0.0.1:2055 or --target [::1]:2055',
    );
  return { host, port, text };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value))
    throw new UsageError(
      `--${name} takes a positive number, not "${text}"`,
      `Write for example --${name} ${name === 'rate' ? '1000' : '10'}`,
    );
  return value;
}

const number = (value: number): string => value.toLocaleString('en-US');
const count = (value: number, noun: string): string => `${number(value)} ${noun}${value === 1 ? '' : 's'}`;
