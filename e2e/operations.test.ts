import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  cleanEnvironment,
  createFolder,
  startCollector,
  until,
  type RunningCollector,
} from '../collector/src/cli/testing/collector.ts';
import { createSender } from '../collector/src/cli/testing/sender.ts';
import { documentedBlocks, projectFile, ROOT } from './testing/documented.ts';
import { describeWith } from './testing/programs.ts';

const blocks = documentedBlocks('docs/operations.md');
const block = (name: string): string => {
  const text = blocks.get(name);
  if (text === undefined) throw new Error(`docs/operations.md has no block that says <!-- run: ${name} -->`);
  return text;
};

/** A documented command with this machine's paths and ports in it. */
function run(script: string, cwd: string, collector?: RunningCollector, env: Record<string, string> = {}): string {
  const here = script
    .replaceAll(/https?:\/\/127\.0\.0\.1:8055/g, collector?.url ?? 'http://127.0.0.1:9')
    .replaceAll('/var/lib/ringflow', join(cwd, 'data'))
    .replaceAll('/etc/ringflow', cwd)
    .replaceAll('npx ringflow', `${process.execPath} ${join(ROOT, 'collector/bin/ringflow.mjs')}`);
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  const result = spawnSync('bash', ['-ec', here], {
    cwd,
    encoding: 'utf8',
    env: { ...cleanEnvironment(), PATH: path, ...env },
  });
  if (result.status !== 0) throw new Error(`exit ${result.status}: ${here}\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

test('every block that is marked is run by a test', () => {
  const tests = ['e2e/operations.test.ts', 'e2e/prometheus.test.ts', 'e2e/deploy.test.ts'].map(projectFile).join('');
  expect([...blocks.keys()].filter((name) => !tests.includes(`'${name}'`))).toEqual([]);
});

describeWith(['curl', 'tar'], 'docs/operations.md', () => {
  const folders: ReturnType<typeof createFolder>[] = [];
  const running = new Set<RunningCollector>();
  const newFolder = (more?: string): string => {
    const folder = createFolder(more);
    folders.push(folder);
    return folder.path;
  };
  const start = async (folder: string): Promise<RunningCollector> => {
    const collector = await startCollector(folder);
    running.add(collector);
    return collector;
  };
  const stop = async (collector: RunningCollector): Promise<void> => {
    collector.kill('SIGTERM');
    expect(await collector.exited).toBe(0);
    running.delete(collector);
  };
  afterEach(async () => {
    for (const collector of running) await stop(collector);
    for (const folder of folders.splice(0)) folder.remove();
  });

  /** Runs a documented block line by line; its systemctl is this test's collector. */
  async function operate(name: string, folder: string, collector: RunningCollector): Promise<RunningCollector> {
    let current = collector;
    for (const line of block(name).trim().split('\n')) {
      const [, verb] = /^systemctl (\w+) ringflow$/.exec(line) ?? [];
      if (verb === 'stop') await stop(current);
      else if (verb === 'start') current = await start(folder);
      else run(line, folder);
    }
    return current;
  }

  /** What the collector knows: the ledger, and answers of each kind and resolution. */
  async function knowledge(collector: RunningCollector, from: number, to: number): Promise<unknown> {
    const answers = [];
    for (const resolution of ['raw', '1m', '1h'] as const) {
      const { frames, error } = await collector.query({ kind: 'stat', resolution }, from, to);
      answers.push({ resolution, error, values: frames[0]?.data.values });
    }
    const { frames, error } = await collector.query({ kind: 'records', limit: 500 }, from, to);
    answers.push({ error, values: frames[0]?.data.values });
    const { ledger } = await collector.status();
    return { ledger, answers };
  }

  const settled = (collector: RunningCollector, records: number): Promise<unknown> =>
    until(
      async () => {
        const { ledger } = await collector.status();
        return ledger.waiting === 0 && ledger.stored === records;
      },
      30_000,
      () => `everything is stored:\n${collector.output().slice(-2000)}`,
    );

  test('backup, more traffic, restore here and elsewhere: ledger and answers are those of the backup', async () => {
    const here = newFolder();
    let collector = await start(here);
    const sender = createSender(collector.udpPort);
    await sender.send(100);
    sender.close();
    await settled(collector, sender.sent.records);
    const [from, to] = [Date.now() - 3_600_000, Date.now() + 3_600_000];
    const before = await knowledge(collector, from, to);
    expect(JSON.stringify(before)).toContain(`"stored":${sender.sent.records}`);

    collector = await operate('backup', here, collector);
    const later = createSender(collector.udpPort);
    await later.send(20);
    later.close();
    await settled(collector, sender.sent.records + later.sent.records);
    expect(await knowledge(collector, from, to)).not.toEqual(before);

    collector = await operate('restore', here, collector);
    expect(await knowledge(collector, from, to)).toEqual(before);
    expect(run(block('ledger'), here, collector)).toBe('ringflow_ledger_difference_records 0\n');

    const elsewhere = newFolder();
    run(`cp ${join(here, 'ringflow-backup.tar')} .`, elsewhere);
    const other = await operate('restore', elsewhere, await start(elsewhere));
    expect(await knowledge(other, from, to)).toEqual(before);

    // It goes on from there: new records are stored, and counted once.
    const more = createSender(other.udpPort);
    await more.send(20);
    more.close();
    await settled(other, sender.sent.records + more.sent.records);
    expect(run(block('ledger'), elsewhere, other)).toBe('ringflow_ledger_difference_records 0\n');
  }, 120_000);

  test('kernel settings, sizes and the check of a configuration print what the page says', async () => {
    const folder = newFolder();
    expect(run(block('check'), folder)).toContain('data_dir');
    const collector = await start(folder);
    await until(
      async () => (await collector.metrics()).includes('ringflow_store_table_bytes{table="flows"}'),
      20_000,
      'sizes are known',
    );
    if (existsSync('/proc/sys/net/core/rmem_max'))
      expect(run(block('kernel'), folder, collector)).toMatch(
        /^\d+\nringflow_inlet_kernel_drops_total\{port="\d+"\} 0\nringflow_inlet_receive_buffer_bytes\{port="\d+"\} \d+\n$/,
      );
    const sizes = run(block('sizes'), folder, collector);
    expect(sizes).toMatch(/^ringflow_store_table_rows\{table="rings_1m"\} \d+$/m);
    expect(sizes).toMatch(/^ringflow_store_limit_bytes 53687091200$/m);
  });

  test('a reload takes over the configuration, SIGUSR2 turns debug lines on', async () => {
    const folder = newFolder();
    const collector = await start(folder);
    // What systemd does at these commands, on this test's collector.
    const unit = projectFile('deploy/systemd/ringflow.service');
    const systemd: Record<string, string> = {
      [block('reload').trim()]: /^ExecReload=(\/bin\/kill .*)$/m.exec(unit)?.[1] ?? 'false',
      [block('debug').trim()]: 'kill -USR2 $MAINPID',
    };
    const operateUnit = (name: string): string =>
      run(systemd[block(name).trim()] ?? 'false', folder, collector, { MAINPID: String(collector.pid) });
    operateUnit('reload');
    await until(async () => collector.output().includes('configuration reloaded'), 10_000, collector.output);
    operateUnit('debug');
    await until(async () => collector.output().includes('"level":"debug"'), 10_000, collector.output);
  });

  test('HTTPS, as the page says', async () => {
    const folder = newFolder();
    const made = spawnSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
        ...['-keyout', 'tls.key', '-out', 'tls.pem', '-subj', '/CN=ringflow', '-addext', 'subjectAltName=IP:127.0.0.1'],
      ],
      { cwd: folder },
    );
    if (made.status !== 0) {
      process.stderr.write('HTTPS: openssl not installed; its test is skipped\n');
      return;
    }
    writeFileSync(
      join(folder, 'ringflow.yml'),
      `data_dir: ./data\ninlet: {listen: ["127.0.0.1:0"]}\nhttp: {port: 0, tls: {cert: ${folder}/tls.pem, key: ${folder}/tls.key}}\n`,
    );
    const collector = await start(folder);
    expect(collector.url).toMatch(/^https:/);
    expect(run(block('https'), folder, collector)).toContain('flows');
  });

  test('a token is asked for', async () => {
    const folder = newFolder();
    const token = 'a'.repeat(64);
    writeFileSync(
      join(folder, 'ringflow.yml'),
      `data_dir: ./data\ninlet: {listen: ["127.0.0.1:0"]}\nhttp: {port: 0, token: ${token}}\nlog: {format: json}\n`,
    );
    const collector = await start(folder);
    expect(run(block('token'), folder, collector, { RINGFLOW_HTTP_TOKEN: token })).toBe('401\n200\n');
  });
});
