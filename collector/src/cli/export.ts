import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ExportRequest } from '@ringflow/contract';
import { open, readText } from './ask.ts';
import { ClientError, clientOptions, hintFor, resolveClient } from './client.ts';
import { EXIT, UsageError, type Arguments, type Io } from './command.ts';

const FORMATS = ['ndjson', 'csv', 'parquet'] as const;
const PROGRESS_MS = 1000;
const UNWRITABLE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EROFS', 'ENOSPC', 'EDQUOT']);

/** `ringflow export`: records of a running collector to a file. */
export async function run(args: Arguments, io: Io): Promise<number> {
  const output = args.text('output');
  const request = buildRequest(args, output);
  const { url, token, trust } = resolveClient(clientOptions(args), { url: 'http://127.0.0.1:8055' });
  let response: IncomingMessage;
  try {
    response = await open(`${url}/api/v1/export`, { method: 'POST', token, trust, body: request });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ClientError(`No collector answers at ${url} (${code ?? message})`, hintFor(code));
  }
  if (response.statusCode !== 200) throw await refusal(response, url);
  const size = Number(response.headers['content-length']);
  let sizeBytes = 0;
  let shownMs = performance.now();
  const count = new Transform({
    transform(chunk: Buffer, _, done) {
      sizeBytes += chunk.length;
      if (io.watched && output !== undefined && performance.now() - shownMs >= PROGRESS_MS) {
        shownMs = performance.now();
        // The next line is written over it.
        io.err(`${output}: ${Math.floor((100 * sizeBytes) / size)} %\r`);
      }
      done(null, chunk);
    },
  });
  // Under another name until it is complete.
  const partial = `${output}.partial`;
  try {
    if (output === undefined) await pipeline(response, count, process.stdout, { end: false });
    else await pipeline(response, count, createWriteStream(partial));
    if (sizeBytes !== size) throw new Error(`${sizeBytes} of ${size} bytes came`);
    if (output !== undefined) await rename(partial, output);
  } catch (error) {
    if (output !== undefined) await rm(partial, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== undefined && UNWRITABLE.has(code))
      throw new ClientError(`Cannot write ${partial} (${code})`, 'Name a file that can be written');
    throw new ClientError(`The export broke off: ${message}`, 'Look at the log of the collector');
  }
  if (output !== undefined) io.err(`${output}: ${sizeBytes.toLocaleString('en')} bytes\n`);
  return EXIT.ok;
}

function buildRequest(args: Arguments, output: string | undefined): ExportRequest {
  if (args.positionals.length > 1)
    throw new UsageError('The filter must be one argument', "Put it in quotes: ringflow export 'dst_port = 53'");
  const ending = FORMATS.find((format) => output?.endsWith(`.${format}`));
  const format = FORMATS.find((one) => one === (args.text('format') ?? ending ?? 'ndjson'));
  if (!format)
    throw new UsageError(`--format cannot be "${args.text('format')}"`, `Write one of: ${FORMATS.join(', ')}`);
  if (format === 'parquet' && output === undefined && process.stdout.isTTY)
    throw new UsageError('Parquet is not for terminals', 'Name a file with --output');
  const filters = [args.text('filter'), args.positionals[0]].filter((text) => text !== undefined && text.trim() !== '');
  const columns = (args.text('columns') ?? '').split(',').map((name) => name.trim());
  return {
    format,
    filter: filters.map((text) => `(${text})`).join(' and '),
    from: timeOf(args.text('from') ?? 'now-1h'),
    to: timeOf(args.text('to') ?? 'now'),
    columns: columns.filter((name) => name !== ''),
  };
}

/** Digits are milliseconds since the epoch. */
function timeOf(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}

async function refusal(response: IncomingMessage, url: string): Promise<ClientError> {
  const { statusCode = 0 } = response;
  const text = await readText(response);
  try {
    const { message, hint } = JSON.parse(text) as { message?: string; hint?: string };
    const what = hint ?? (statusCode === 401 ? 'Give a token with --token or RINGFLOW_TOKEN' : 'Look at its log');
    return new ClientError(message ?? `${url} answered ${statusCode}`, what);
  } catch {
    return new ClientError(`${url} answered ${statusCode} and no JSON`, 'Check that --url is a Ringflow collector');
  }
}
