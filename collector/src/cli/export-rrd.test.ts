import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { QueryResponse, ScoreboardResponse } from '@ringflow/contract';
import { createDumpReader } from '../rrd/index.ts';
import { describeWith, fetchRows, rrdtool } from '../rrd/testing/rrdtool.ts';
import { createFolder, runCommand, startCollector, until, type RunningCollector } from './testing/collector.ts';
import { createSender } from './testing/sender.ts';

describeWith(['rrdtool'], 'ringflow export rrd', () => {
  let folder: ReturnType<typeof createFolder>;
  let collector: RunningCollector;
  let sender: ReturnType<typeof createSender>;

  beforeAll(async () => {
    folder = createFolder();
    collector = await startCollector(folder.path);
    sender = createSender(collector.udpPort);
    await sender.send(20);
    // Until the next status says where data begins, queries answer 0 for the time before; later it is unknown.
    await until(
      async () => {
        const { ledger, store } = await collector.status();
        return ledger.stored === sender.sent.records && store.tables.some(({ oldestMs }) => oldestMs !== null);
      },
      20_000,
      'everything is stored, and it is known since when',
    );
  }, 60_000);
  afterAll(async () => {
    sender?.close();
    collector?.kill('SIGTERM');
    await collector?.exited;
    folder?.remove();
  });

  const run = (...args: string[]) => runCommand([...args, '--url', collector.url], folder.path);

  /** Sums of a series by the end of its bucket, as the API answers. */
  async function sumsOf(
    groupBy: string[],
    metric: 'bytes' | 'flows',
    fromMs: number,
    toMs: number,
  ): Promise<Map<number, number[]>> {
    const answer: QueryResponse['results'][string] = await collector.query(
      { kind: 'timeseries', measure: 'total', metric, groupBy, intervalMs: 60_000, other: false, limit: 3 },
      fromMs,
      toMs,
    );
    const [times, ...columns] = answer.frames[0]!.data.values as [number[], ...(number | null)[][]];
    return new Map(times.map((time, row) => [time / 1000 + 60, columns.map((column) => column[row] ?? Number.NaN)]));
  }

  test('series become a file that rrdtool restores, and fetches the same values from', async () => {
    const toMs = Math.floor(Date.now() / 60_000) * 60_000;
    const fromMs = toMs - 30 * 60_000;
    const xml = join(folder.path, 'a.xml');
    const file = join(folder.path, 'a.rrd');
    const { code, stderr } = await run(
      'export',
      'rrd',
      'proto = udp',
      '-m',
      'bytes,flows',
      '--step',
      '1m',
      '--from',
      `${fromMs}`,
      '--to',
      `${toMs}`,
      '-o',
      xml,
    );
    expect(stderr).toContain(`${xml}: 2 data sources, 30 steps of 60 s`);
    expect(code).toBe(0);
    rrdtool('restore', xml, file);
    expect(rrdtool('info', file)).toContain('ds[bytes].type = "ABSOLUTE"');
    const [bytes, flows] = [await sumsOf([], 'bytes', fromMs, toMs), await sumsOf([], 'flows', fromMs, toMs)];
    const rows = fetchRows(file, 'AVERAGE', 60, fromMs / 1000, toMs / 1000 - 1);
    let [allBytes, allFlows] = [0, 0];
    for (const [end, values] of rows) {
      const wanted = [bytes.get(end)?.[0] ?? Number.NaN, flows.get(end)?.[0] ?? Number.NaN].map((sum) => sum / 60);
      values.forEach((value, index) => {
        if (Number.isNaN(wanted[index])) expect(value).toBeNaN();
        else expect(value).toBeCloseTo(wanted[index]!, 4);
      });
      allBytes += Number.isNaN(values[0]) ? 0 : values[0]! * 60;
      allFlows += Number.isNaN(values[1]) ? 0 : values[1]! * 60;
    }
    // What the file does not have is in the minute that goes on.
    const sumOf = (sums: Map<number, number[]>): number =>
      [...sums.values()].reduce((sum, [value = 0]) => sum + (value || 0), 0);
    expect(allBytes).toBeGreaterThan(0);
    expect(Math.round(allBytes)).toBe(sumOf(bytes));
    expect(Math.round(allFlows)).toBe(sumOf(flows));
  });

  test('with groups and archives of its own; the values are those of the API', async () => {
    const toMs = Math.floor(Date.now() / 60_000) * 60_000;
    const fromMs = toMs - 40 * 60_000;
    const query = join(folder.path, 'query.json');
    writeFileSync(query, JSON.stringify({ groupBy: ['src_port'], limit: 3 }));
    const { stdout, stderr, code } = await run(
      'export',
      'rrd',
      '--query',
      query,
      '--step',
      '1m',
      '--from',
      `${fromMs}`,
      '--to',
      `${toMs}`,
      '--rra',
      'AVERAGE:0.5:1:40',
      '--rra',
      'MAX:0.9:5:8',
    );
    expect(stderr).toContain('3 data sources, 40 steps');
    expect(code).toBe(0);
    const reader = createDumpReader();
    reader.write(stdout);
    const rrd = reader.end();
    expect(rrd.archives.map(({ cf, steps, xff, rows }) => [cf, steps, xff, rows.length])).toEqual([
      ['AVERAGE', 1, 0.5, 40],
      ['MAX', 5, 0.9, 8],
    ]);
    const wanted = await sumsOf(['src_port'], 'bytes', fromMs, toMs);
    rrd.archives[0]!.rows.forEach((row, index) => {
      const sums = wanted.get(fromMs / 1000 + (index + 1) * 60) ?? [];
      row.forEach((value, column) => {
        if (!Number.isNaN(value)) expect(value * 60).toBeCloseTo(sums[column] ?? 0, 3);
      });
    });
    expect(rrd.archives[0]!.rows.some((row) => row.every((value) => value > 0))).toBe(true);
  });

  test.each([
    [['--step', '1.5s'], '--step cannot be "1.5s"'],
    [['--rra', 'LAST:0:1:1'], '--rra cannot be "LAST:0:1:1"'],
    [['-m', 'bits'], '--metric cannot be "bits"'],
    [['--from', 'now-1m', '--step', '5m', '--to', 'now-59s'], '0 steps of 300 s'],
    [['nonsense = 1'], 'nonsense'],
    [['-g', 'nothing'], 'nothing'],
  ])('%j is answered with what to do', async (args, message) => {
    const { code, stderr } = await run('export', 'rrd', ...args);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  test('the scoreboard on the command line', async () => {
    const { stdout, code } = await run('scoreboard', '--format', 'json', '--at', 'now');
    expect(code).toBe(0);
    const board = JSON.parse(stdout) as ScoreboardResponse;
    expect(board.lists).toHaveLength(6);
    expect(board.complete).toBe(false);
    // The sender's addresses are own ones, 192.0.2.1 is not: everything goes out, spread over what the flows lasted.
    expect(board.in).toEqual({ bytes: 0, packets: 0, flows: 0 });
    const before = JSON.parse(
      (await run('scoreboard', '--format', 'json', '--at', 'now-5m')).stdout,
    ) as ScoreboardResponse;
    expect(board.out.bytes + before.out.bytes).toBe(sender.sent.bytes);
    expect(board.out.flows + before.out.flows).toBe(sender.sent.records);
    expect((await run('scoreboard', '--at', 'now')).stdout).toMatch(/Outbound, by bytes\nrank +host/);
    expect((await run('scoreboard', '--overall', '--format', 'csv')).stdout).toContain('direction,metric,rank');
    expect((await run('scoreboard', '--overall', '--at', 'now')).stderr).toContain('exclude each other');
  });
});
