import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parse } from 'yaml';
import { createFolder, startCollector, until, cleanEnvironment } from '../collector/src/cli/testing/collector.ts';
import { createSender } from '../collector/src/cli/testing/sender.ts';
import { documentedBlocks, ROOT } from './testing/documented.ts';
import { describeWith } from './testing/programs.ts';

const blocks = documentedBlocks('docs/how-to/cuflow.md');

describeWith(['rrdtool', 'bash'], 'docs/how-to/cuflow.md', () => {
  let folder: ReturnType<typeof createFolder>;
  /** Runs a block of the page as a reader would, `ringflow` being in the path. */
  const run = (
    name: string,
    env: Record<string, string> = {},
  ): { status: number | null; stdout: string; stderr: string } => {
    const text = blocks.get(name);
    if (text === undefined) throw new Error(`docs/how-to/cuflow.md has no block ${name}`);
    const { status, stdout, stderr } = spawnSync('bash', ['-ec', text], {
      cwd: folder.path,
      encoding: 'utf8',
      env: { ...cleanEnvironment(), ...env, PATH: [join(folder.path, 'bin'), process.env['PATH']].join(delimiter) },
    });
    return { status, stdout, stderr };
  };

  beforeAll(() => {
    folder = createFolder();
    mkdirSync(join(folder.path, 'bin'));
    const program = join(folder.path, 'bin', 'ringflow');
    writeFileSync(
      program,
      `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'collector/bin/ringflow.mjs')}" "$@"\n`,
    );
    chmodSync(program, 0o755);
    execFileSync('rm', [join(folder.path, 'ringflow.yml')]);
    writeFileSync(join(folder.path, 'CUFlow.cf'), blocks.get('cuflow-cf') as string);
  });
  afterAll(() => folder.remove());

  test('the configuration is the one that the page shows', () => {
    const { status, stderr } = run('migrate');
    expect(stderr).toContain('CUFlow.cf:10: OutputDir rrd has no counterpart');
    expect(status).toBe(0);
    const written = parse(readFileSync(join(folder.path, 'ringflow.yml'), 'utf8')) as unknown;
    expect(written).toEqual(parse(blocks.get('ringflow-yml') as string));
  });

  test('history and scores come in, are answered by the collector, and go out again', async () => {
    const rrd = join(folder.path, 'rrd');
    mkdirSync(rrd);
    const endSeconds = Math.floor(Date.now() / 300_000) * 300 - 86_400;
    const names = ['in_bytes', 'out_bytes', 'in_pkts', 'out_pkts', 'in_flows', 'out_flows'];
    const total = join(rrd, 'total.rrd');
    execFileSync('rrdtool', [
      'create',
      total,
      '--start',
      `${endSeconds - 30_000}`,
      '--step',
      '300',
      ...names.map((name) => `DS:${name}:ABSOLUTE:400:U:U`),
      'RRA:AVERAGE:0:1:600',
    ]);
    for (let step = 99; step >= 0; step--)
      execFileSync('rrdtool', ['update', total, `${endSeconds - step * 300}:30000:60000:300:600:30:60`]);
    writeFileSync(join(folder.path, 'agg.dat'), '5\n10.0.0.1 4 400 40 4 800 80 8\n');
    const history = run('history');
    expect(history.stderr).toContain('1 file: 9,000,000 bytes, 90,000 packets, 9,000 flows');
    expect(history.stderr).toContain('agg.dat: 1 host of 5 reports');
    expect(history.status).toBe(0);

    writeFileSync(
      join(folder.path, 'ringflow.yml'),
      `${readFileSync(join(folder.path, 'ringflow.yml'), 'utf8')}\ninlet: {listen: ["127.0.0.1:0"], seal_interval_ms: 200}\nhttp: {port: 0}\nlog: {format: json}\n`,
    );
    const collector = await startCollector(folder.path);
    const sender = createSender(collector.udpPort);
    try {
      const day = await collector.query(
        { kind: 'table', groupBy: ['direction'], measure: 'total' },
        (endSeconds - 7 * 86_400) * 1000,
        endSeconds * 1000 + 3_600_000,
      );
      expect(day.frames[0]?.data.values.slice(0, 2)).toEqual([
        ['out', 'in'],
        [6_000_000, 3_000_000],
      ]);
      await sender.send(3);
      await until(
        async () => (await collector.status()).ledger.stored === sender.sent.records,
        20_000,
        'everything is stored',
      );
      const env = { RINGFLOW_URL: collector.url };
      const board = run('scoreboard', env);
      expect(board.stderr).toBe('');
      expect(board.stdout).toContain('Inbound, by bytes');
      expect(board.stdout).toContain('10.0.0.1');
      const exported = run('export', env);
      expect(exported.stderr).toContain('4 data sources, 576 steps of 300 s');
      expect(exported.status).toBe(0);
      // The rates of yesterday, as they were in CUFlow's file.
      expect(exported.stdout).toMatch(/^ +out_bytes +in_bytes +out_packets +in_packets$/m);
      const row = new RegExp(`^${endSeconds - 3000}: 2.0+e\\+02 1.0+e\\+02 2.0+e\\+00 1.0+e\\+00$`, 'm');
      expect(exported.stdout).toMatch(row);
    } finally {
      sender.close();
      collector.kill('SIGTERM');
      await collector.exited;
    }
  }, 120_000);

  test('channels of NfSen', () => {
    mkdirSync(join(folder.path, 'profiles-stat/live/web'), { recursive: true });
    writeFileSync(join(folder.path, 'profiles-stat/live/web/https-filter.txt'), 'proto tcp and port 443\n');
    writeFileSync(join(folder.path, 'profiles.txt'), 'live#web#1#https#r1|r2\n');
    expect(run('nfsen').status).toBe(0);
    expect(parse(readFileSync(join(folder.path, 'nfsen.yml'), 'utf8'))).toEqual({
      metrics: { watches: { 'live.web.https': 'exporter in ("r1", "r2") and (proto = 6 and port = 443)' } },
    });
  });
});
