import type { DataFrameJson } from '@ringflow/contract';
import { parseArguments, type Io } from './command.ts';
import { COMMANDS } from './commands.ts';
import { runCommandLine } from './index.ts';
import { buildRequest } from './query.ts';
import { formatCsv, formatTable, frameToTable } from './table.ts';

async function runLine(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const io: Io = { out: (text) => void (out += text), err: (text) => void (err += text) };
  return { code: await runCommandLine(argv, io), out, err };
}

describe('command line', () => {
  test('help lists every command, and each has options and examples', async () => {
    const { code, out } = await runLine('--help');
    expect(code).toBe(0);
    for (const { name } of COMMANDS) {
      expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
      const words = name.split(' ');
      const help = await runLine(...words, '--help');
      expect(help.code).toBe(0);
      expect(help.out).toContain(`Usage: ringflow ${name}`);
      expect(help.out).toMatch(/Examples:\n {2}# .+\n {2}\S/);
      expect((await runLine('help', ...words)).out).toBe(help.out);
    }
    expect((await runLine()).code).toBe(2);
  });

  test('every example in the help is a command line that is understood', () => {
    for (const command of COMMANDS) {
      for (const { command: line } of command.examples) {
        const words = [
          ...(/\bringflow (.*?)(?: [|>] .*)?$/.exec(line)?.[1] ?? '').matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g),
        ].map(([, double, single, plain]) => double ?? single ?? plain ?? '');
        const length = command.name.split(' ').length;
        expect(words.slice(0, length).join(' ')).toBe(command.name);
        const args = parseArguments(command, words.slice(length));
        if (command.name === 'query') expect(buildRequest(args).queries).toHaveLength(1);
      }
    }
  });

  test.each([
    [['srve'], 2, 'ringflow: Unknown command "srve"\n  Write "ringflow serve"\n'],
    [
      ['query', '--colour'],
      2,
      'ringflow: Unknown option \'--colour\'\n  Run "ringflow query --help" to see the options\n',
    ],
    [
      ['query', '-k', 'pie'],
      2,
      'ringflow: --kind cannot be "pie"\n  Write one of: timeseries, table, records, stat, graph, geo, heatmap\n',
    ],
    [['query', '-n', '0'], 2, 'ringflow: --top must be a positive number, not "0"\n  Write for example --top 20\n'],
    [
      ['query', 'a', 'b'],
      2,
      "ringflow: The filter must be one argument\n  Put it in quotes: ringflow query 'dst_port = 53'\n",
    ],
    [['serve', 'now'], 2, 'ringflow: Unexpected argument "now"\n  Run "ringflow serve --help" to see what it takes\n'],
  ])('%j is answered with what to do', async (argv, code, err) => {
    expect(await runLine(...argv)).toEqual({ code, out: '', err });
  });

  test('a collector that is not there is named, with how to start one', async () => {
    const { code, err } = await runLine('query', '--url', 'http://127.0.0.1:9');
    expect(code).toBe(1);
    expect(err).toContain('No collector answers at http://127.0.0.1:9');
    expect(err).toContain('ringflow serve');
  });
});

describe('query request', () => {
  const request = (...argv: string[]) =>
    buildRequest(parseArguments(COMMANDS.find(({ name }) => name === 'query') as (typeof COMMANDS)[number], argv));

  test('says only what the options say; the collector knows the defaults', () => {
    expect(
      request(
        '-g',
        'src_addr,dst_addr',
        '-g',
        'proto',
        'dst_port = 53',
        '-f',
        'proto = udp',
        '-n',
        '20',
        '--from',
        'now-1d',
      ),
    ).toEqual({
      from: 'now-1d',
      to: 'now',
      timezone: 'utc',
      queries: [
        {
          refId: 'A',
          kind: 'table',
          filter: '(proto = udp) and (dst_port = 53)',
          groupBy: ['src_addr', 'dst_addr', 'proto'],
          limit: 20,
        },
      ],
    });
  });

  test('without fields to group by it asks for the totals', () => {
    expect(request().queries[0]).toMatchObject({ kind: 'stat', filter: '' });
  });
});

describe('tables', () => {
  const frame = {
    schema: {
      refId: 'A',
      meta: {},
      fields: [
        { name: 'time', type: 'time', config: {} },
        { name: 'app', type: 'string', config: {} },
        { name: 'bytes', type: 'number', config: { unit: 'decbytes' } },
        { name: 'share', type: 'number', config: { unit: 'percent' } },
      ],
    },
    data: {
      values: [
        [0, 1500],
        ['a "quoted", one', 'b'],
        [1_234_567, null],
        [99.44, 0.5],
      ],
    },
  } as unknown as DataFrameJson;

  test('aligned for people: suffixes, UTC, numbers to the right', () => {
    expect(formatTable(frameToTable(frame, false))).toBe(
      [
        'time                    app              bytes   share',
        '──────────────────────  ───────────────  ─────  ──────',
        '1970-01-01T00:00:00Z    a "quoted", one  1.23M  99.4 %',
        '1970-01-01T00:00:01.5Z  b                        0.5 %',
        '',
      ].join('\n'),
    );
  });

  test('cut to the terminal', () => {
    for (const line of formatTable(frameToTable(frame, false), 40).trimEnd().split('\n'))
      expect(line.length).toBeLessThanOrEqual(40);
  });

  test('exact for programs, quoted as RFC 4180 says', () => {
    expect(formatCsv(frameToTable(frame, true))).toBe(
      'time,app,bytes,share\r\n1970-01-01T00:00:00Z,"a ""quoted"", one",1234567,99.44\r\n1970-01-01T00:00:01.5Z,b,,0.5\r\n',
    );
  });
});
