import { createReadStream } from 'node:fs';
import { COLUMNS, formatAddressBytes, parseAddress } from '@ringflow/contract';
import {
  LOSS_REASONS,
  WIRE_DEFAULTS,
  createBatch,
  createDatagramInfo,
  createDecoder,
  createPcapReader,
  resetBatch,
  type PcapStats,
} from '../wire/index.ts';
import { EXIT, UsageError, type Arguments, type Io } from './command.ts';
import { countersAsJson, optionsAsJson } from './record-json.ts';
import { rowsAsJson } from './row-json.ts';

/** What `ringflow decode` was asked for. */
export interface DecodeOptions {
  /** Name of the capture, for messages. */
  readonly file: string;
  /** Options and counter records too. */
  readonly all: boolean;
  /** Text form of the only source to decode; null = every source. */
  readonly fromHost: string | null;
  readonly decapsulate: boolean;
}

/** Text collected before it is written. */
const FLUSH_CHARACTERS = 1 << 16;

/** `ringflow decode FILE.pcap`: flow records as JSON lines, in order of arrival. */
export async function run(args: Arguments, io: Io): Promise<number> {
  const [file, ...more] = args.positionals;
  if (file === undefined || more.length > 0)
    throw new UsageError('One file is needed', 'Name a capture, or - to read standard input');
  const host = args.text('from-host');
  const address = host === undefined ? null : parseAddress(host);
  if (host !== undefined && !address)
    throw new UsageError(`--from-host takes an address, not "${host}"`, 'Write an address such as 192.0.2.1');
  const options: DecodeOptions = {
    file,
    all: args.flag('all'),
    fromHost: address ? formatAddressBytes(address) : null,
    decapsulate: args.flag('decapsulate'),
  };
  const input = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 20 });
  return runDecode(options, input as AsyncIterable<Uint8Array>, io);
}

/**
 * Decodes a capture that comes in pieces. Templates persist over the whole of it; data that came before its template
 * is printed once that is there; what could not be decoded is summed up on `io.err`.
 *
 * @returns exit code: a capture with undecodable data is no failure, a file that is no capture is
 */
export async function runDecode(options: DecodeOptions, input: AsyncIterable<Uint8Array>, io: Io): Promise<number> {
  const lines: string[] = [];
  let characters = 0;
  const print = (line: string) => {
    lines.push(line);
    characters += line.length + 1;
  };
  const flush = () => {
    if (lines.length > 0) io.out(`${lines.join('\n')}\n`);
    lines.length = 0;
    characters = 0;
  };

  const decoder = createDecoder(
    { ...WIRE_DEFAULTS, sflow: { ...WIRE_DEFAULTS.sflow, decapsulate: options.decapsulate } },
    {
      options: (record) => options.all && print(optionsAsJson(record)),
      counters: (record) => options.all && print(countersAsJson(record)),
    },
  );
  // One datagram at a time: room for its rows is what `createBatch` adds by itself.
  const batch = createBatch({ rowLimit: 0, columns: COLUMNS, trackRuns: true });
  const info = createDatagramInfo();
  const losses = new Map<string, number>();
  const reader = createPcapReader();
  const take = () => {
    for (const line of rowsAsJson(batch)) print(line);
    LOSS_REASONS.forEach((reason, index) => {
      const count = info.losses[index] ?? 0;
      if (count > 0) losses.set(reason, (losses.get(reason) ?? 0) + count);
    });
    resetBatch(batch);
    if (characters > FLUSH_CHARACTERS) flush();
  };

  try {
    for await (const chunk of input) {
      for (const datagram of reader.push(chunk)) {
        if (options.fromHost !== null && datagram.source.address !== options.fromHost) continue;
        decoder.decode(datagram.payload, datagram.source, datagram.arrivalMs, batch, info);
        take();
        while (decoder.replay(batch, info) >= 0) take();
      }
      if (reader.stats.problem !== null) break;
    }
  } catch (error) {
    flush();
    io.err(
      `ringflow: Cannot read ${options.file}: ${(error as Error).message}\n  Name a capture that exists and may be read\n`,
    );
    return EXIT.failed;
  }
  flush();

  const stats = reader.finish();
  if (stats.problem === 'not_a_capture') {
    io.err(
      `ringflow: ${options.file} is not a packet capture (pcap or pcapng)\n  Record one with "tcpdump -w FILE.pcap udp"\n`,
    );
    return EXIT.failed;
  }
  // A set without its template counts as lost when it comes; what was replayed since was not lost.
  const missing = (losses.get('template_missing') ?? 0) - decoder.stats().replayedTotal;
  losses.delete('template_missing');
  const problems = [...captureProblems(stats), ...[...losses].map(([reason, count]) => `${reason}: ${count}`)];
  if (missing > 0) problems.push(`sets whose template never came: ${missing}`);
  if (problems.length > 0)
    io.err(`Of ${stats.datagrams} datagrams, not decoded:\n${problems.map((problem) => `  ${problem}\n`).join('')}`);
  return EXIT.ok;
}

function captureProblems(stats: PcapStats): string[] {
  const problems: string[] = [];
  if (stats.problem === 'cut_off') problems.push('the file ends in the middle of a packet');
  if (stats.problem === 'bad_block') problems.push('the file is damaged, its rest was not read');
  if (stats.otherPackets > 0) problems.push(`packets that are not UDP: ${stats.otherPackets}`);
  if (stats.cutDatagrams > 0) problems.push(`datagrams cut by the capture's snap length: ${stats.cutDatagrams}`);
  if (stats.lostFragments > 0) problems.push(`IP fragments whose rest is missing: ${stats.lostFragments}`);
  return problems;
}
