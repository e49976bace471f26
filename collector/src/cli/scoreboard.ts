import { formatSize, type OverallScoreResponse, type ScoreboardResponse, type ScoreRow } from '@ringflow/contract';
import { ask } from './ask.ts';
import { ClientError, clientOptions, createClient, hintFor, resolveClient } from './client.ts';
import { EXIT, UsageError, type Arguments, type Io } from './command.ts';
import { formatTable } from './table.ts';

const FORMATS = ['table', 'json', 'csv', 'html'] as const;

/** `ringflow scoreboard`: the busiest hosts of five minutes, or overall. */
export async function run(args: Arguments, io: Io): Promise<number> {
  const format = FORMATS.find((one) => one === (args.text('format') ?? 'table'));
  if (!format)
    throw new UsageError(`--format cannot be "${args.text('format')}"`, `Write one of: ${FORMATS.join(', ')}`);
  const n = args.text('n');
  if (n !== undefined && !(/^[1-9]\d{0,2}$/.test(n) && Number(n) <= 100))
    throw new UsageError(`--n must be a number from 1 to 100, not "${n}"`, 'Write for example -n 20');
  const overall = args.flag('overall');
  const at = args.text('at');
  if (overall && at !== undefined) throw new UsageError('--at and --overall exclude each other', 'Give one of them');
  const query = new URLSearchParams({
    ...(n === undefined ? {} : { n }),
    ...(at === undefined ? {} : { at }),
    ...(format === 'table' ? {} : { format }),
  });
  const path = `/api/v1/scoreboard${overall ? '/overall' : ''}${query.size > 0 ? `?${query.toString()}` : ''}`;
  if (format === 'csv' || format === 'html') {
    io.out(await readPage(args, path));
    return EXIT.ok;
  }
  const board = await createClient(clientOptions(args)).get<ScoreboardResponse | OverallScoreResponse>(path);
  io.out(format === 'json' ? `${JSON.stringify(board, null, 2)}\n` : formatBoard(board, io.columns));
  return EXIT.ok;
}

/** An answer that is not JSON. */
async function readPage(args: Arguments, path: string): Promise<string> {
  const { url, token, trust } = resolveClient(clientOptions(args), { url: 'http://127.0.0.1:8055' });
  let reply;
  try {
    reply = await ask(url + path, { method: 'GET', token, trust });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ClientError(`No collector answers at ${url} (${code ?? message})`, hintFor(code));
  }
  if (reply.status === 200) return reply.text;
  let said: { message?: string; hint?: string } = {};
  try {
    said = JSON.parse(reply.text) as typeof said;
  } catch {
    // Somebody else answered.
  }
  throw new ClientError(
    said.message ?? `${url} answered ${reply.status}`,
    said.hint ?? 'Check that --url is a Ringflow collector',
  );
}

const DIRECTIONS = { in: 'Inbound', out: 'Outbound' } as const;

function formatBoard(board: ScoreboardResponse | OverallScoreResponse, columns: number | undefined): string {
  const isoOf = (ms: number): string => new Date(ms).toISOString().slice(0, 19);
  const heading =
    'reports' in board
      ? `Overall, averages per interval, up to ${isoOf(board.untilMs)}\n`
      : `${isoOf(board.fromMs)} to ${isoOf(board.toMs)}${board.complete ? '' : ', not complete yet'}\n`;
  const tables = board.lists.map(({ direction, metric, rows }) => {
    const table = formatTable(
      {
        headers: [
          'rank',
          'host',
          '%',
          'bits/s in',
          'bits/s out',
          'packets/s in',
          'packets/s out',
          'flows/s in',
          'flows/s out',
          'intervals',
        ],
        rightAligned: [true, false, true, true, true, true, true, true, true, true],
        rows: rows.map((row) => cells(row, board.seconds)),
      },
      columns,
    );
    return `\n${DIRECTIONS[direction]}, by ${metric}\n${table}`;
  });
  return heading + tables.join('');
}

function cells({ rank, address, share, in: into, out, intervals }: ScoreRow, seconds: number): string[] {
  const rate = (value: number): string => formatSize(value / seconds);
  return [
    String(rank),
    address,
    share.toFixed(1),
    rate(into.bytes * 8),
    rate(out.bytes * 8),
    rate(into.packets),
    rate(out.packets),
    rate(into.flows),
    rate(out.flows),
    String(intervals),
  ];
}
