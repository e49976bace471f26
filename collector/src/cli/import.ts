import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IngestProgress, IngestResponse } from '@ringflow/contract';
import { readClientEnvironment } from '../config/index.ts';
import { CHAIN_START, formatLink, nextLink } from '../ingest/index.ts';
import { ask, type Reply } from './ask.ts';
import { ClientError, clientOptions, hintFor, resolveClient, type Target } from './client.ts';
import { EXIT, UsageError, type Arguments, type Io } from './command.ts';
import { createImportReader } from './import-reader.ts';

/** Records of one request, and bytes after which it is sent with fewer. */
const BATCH_RECORDS = 5000;
const BATCH_BYTES = 8 * 1024 * 1024;
/** How long a collector that is busy or away is waited for. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 1000;
const PROGRESS_MS = 1000;

/** What became of the records of one input. */
interface Counts {
  /** In the input. */
  records: number;
  /** Of these, taken by an earlier import. */
  before: number;
  /** Of the others, those that nothing could be made of. */
  failed: number;
  ignored: Map<string, number>;
}

/** `ringflow import FILE…`: flow records of other collectors into a running one. */
export async function run(args: Arguments, io: Io): Promise<number> {
  const files = args.positionals;
  if (files.length === 0) throw new UsageError('A file is needed', 'Name a file, or - to read standard input');
  const as = args.text('as');
  if (as !== undefined && (files.length > 1 || !/^[\x21-\x7e]{1,180}$/.test(as)))
    throw new UsageError('--as names one input, in up to 180 letters without space', 'Import the files one by one');
  const options = clientOptions(args);
  const target = resolveClient(
    { ...options, token: options.token ?? readClientEnvironment().ingestToken },
    {
      url: 'http://127.0.0.1:8055',
    },
  );
  for (const file of files) {
    const input = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 18 });
    const { format, counts } = await importOne(file, input as AsyncIterable<Uint8Array>, target, as, io);
    io.err(describe(file, format, counts));
  }
  return EXIT.ok;
}

/**
 * Sends one input. The collector knows how many records of it were taken, and what stands for them, so an import that
 * was interrupted goes on where it stopped, and one that is repeated takes only what is new.
 */
async function importOne(
  file: string,
  input: AsyncIterable<Uint8Array>,
  target: Target,
  as: string | undefined,
  io: Io,
): Promise<{ format: string; counts: Counts }> {
  const reader = createImportReader(file);
  const counts: Counts = { records: 0, before: 0, failed: 0, ignored: new Map() };
  let link = CHAIN_START;
  let source = '';
  let known: IngestProgress = { records: 0, link: '' };
  let batch: Uint8Array[] = [];
  let batchBytes = 0;
  let batchLink = link;
  let shownMs = performance.now();

  async function send(): Promise<void> {
    if (batch.length === 0) return;
    const offset = counts.records - batch.length;
    const headers = {
      'ringflow-source': source,
      'ringflow-offset': String(offset),
      'ringflow-link': formatLink(batchLink),
      'content-type': 'application/x-ndjson',
    };
    const body = Buffer.concat(batch.flatMap((record) => [record, NEWLINE]));
    const answer = await insist<IngestResponse>(target, 'POST', '/api/v1/ingest', { headers, body }, offset);
    for (const status of answer.status) {
      counts.failed += status.failed;
      for (const [field, count] of Object.entries(status.ignored))
        counts.ignored.set(field, (counts.ignored.get(field) ?? 0) + count);
    }
    batch = [];
    batchBytes = 0;
    batchLink = link;
    if (io.watched && performance.now() - shownMs >= PROGRESS_MS) {
      shownMs = performance.now();
      // The next line is written over it.
      io.err(`${file}: ${counts.records.toLocaleString('en')} records\r`);
    }
  }

  for await (const group of reader.records(input)) {
    for (const record of group) {
      const next = nextLink(link, record);
      if (counts.records === 0) {
        // Whoever begins with the same record is the same source, unless told otherwise.
        source = as === undefined ? `import-${formatLink(next)}` : `import-as-${as}`;
        known = await insist(target, 'GET', `/api/v1/ingest?source=${encodeURIComponent(source)}`, {}, 0);
      }
      link = next;
      counts.records++;
      if (counts.records <= known.records) {
        counts.before = counts.records;
        batchLink = link;
        if (counts.records === known.records && formatLink(link) !== known.link) throw other(file, known.records);
        continue;
      }
      batch.push(record);
      batchBytes += record.length + 1;
      if (batch.length >= BATCH_RECORDS || batchBytes >= BATCH_BYTES) await send();
    }
  }
  await send();
  if (counts.records < known.records) throw other(file, known.records);
  if (counts.records === 0) throw new UsageError(`${file} has no records`, 'Look at what is in the file');
  return { format: reader.format() ?? '', counts };
}

const NEWLINE = Uint8Array.of(0x0a);

/** Sends until there is an answer; one that is sent twice is recognised by the collector. */
async function insist<T>(
  target: Target,
  method: 'GET' | 'POST',
  path: string,
  question: { headers?: Record<string, string>; body?: Uint8Array },
  offset: number,
): Promise<T> {
  const { url, token, trust } = target;
  for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
    let reply: Reply | undefined;
    try {
      reply = await ask(url + path, { method, token, trust, ...question });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // Nobody was there before: there is nothing to wait for.
      if (waitedMs >= PATIENCE_MS || method === 'GET')
        throw new ClientError(`No collector answers at ${url} (${code ?? message})`, hintFor(code));
    }
    if (reply && reply.status === 200) return JSON.parse(reply.text) as T;
    if (reply && ((reply.status !== 429 && reply.status !== 503) || waitedMs >= PATIENCE_MS))
      throw refusal(reply, url, offset);
    await sleep(PAUSE_MS);
  }
}

function refusal({ status, text }: Reply, url: string, offset: number): ClientError {
  let answer: { code?: string; message?: string; hint?: string } = {};
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    return new ClientError(`${url} answered ${status} and no JSON`, 'Check that --url is a Ringflow collector');
  }
  if (status === 401) return new ClientError('The collector wants the token of http.ingest', 'Give it with --token');
  const where = answer.code === 'ingest_invalid' && offset > 0 ? ` (counted from record ${offset})` : '';
  return new ClientError(`${answer.message ?? `${url} answered ${status}`}${where}`, answer.hint ?? 'Look at its log');
}

function other(file: string, records: number): ClientError {
  return new ClientError(
    `${file} begins like an input of which ${records} records were taken, and is not the same`,
    'Give it a name of its own with --as',
  );
}

function describe(file: string, format: string, { records, before, failed, ignored }: Counts): string {
  const number = (count: number): string => count.toLocaleString('en');
  const taken = records - before - failed;
  const notes = [
    ...(before > 0 ? [`${number(before)} were taken before`] : []),
    ...(failed > 0 ? [`${number(failed)} said nothing usable and are counted as dropped`] : []),
    ...[...ignored].map(([field, count]) => `${field} was left out ${number(count)} times`),
  ];
  return `${file}: ${number(taken)} of ${number(records)} records (${format}) taken${notes.map((note) => `, ${note}`).join('')}\n`;
}
