import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf, encodeNetflow9, encodeNetflow9Templates, type DemoFlow } from '../demo/index.ts';
import { createFolder, startCollector, until, type RunningCollector } from './testing/collector.ts';

const BASE = (udp: number, http: number): string =>
  `data_dir: ./data\ninlet: {listen: ["127.0.0.1:${udp}"], seal_interval_ms: 100, allow_exporters: [ALLOW]}\nhttp: {port: ${http}, token: TOKEN}\nlog: {level: info, format: json}\n`;

/** One exporter of NetFlow v9; its template is sent only when the test says so. */
function createExporter(port: number) {
  const socket = createSocket('udp4');
  const bootMs = Date.now() - 3_600_000;
  let sequence = 0;
  const send = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) =>
      socket.send(bytes, port, '127.0.0.1', (error) => (error ? reject(error) : resolve())),
    );
  const header = () => ({ unixMs: Date.now(), uptimeMs: Date.now() - bootMs, sequence: sequence++, sourceId: 1 });
  const flow = (): DemoFlow => ({
    src: addressOf('10.0.0.1'),
    dst: addressOf('192.0.2.1'),
    srcPort: 40_000,
    dstPort: 53,
    proto: 17,
    tcpFlags: 0,
    tos: 0,
    bytes: 100,
    packets: 1,
    startMs: Date.now() - 1000,
    endMs: Date.now(),
    inIf: 1,
    outIf: 2,
    srcAs: 0,
    dstAs: 0,
    srcMask: 0,
    dstMask: 0,
    vlan: 0,
  });
  return {
    template: () => send(encodeNetflow9Templates(header(), 1, [])),
    flows: (count: number) => send(encodeNetflow9(header(), Array.from({ length: count }, flow))),
    close: () => socket.close(),
  };
}

describe('SIGHUP', () => {
  let folder: ReturnType<typeof createFolder>;
  let collector: RunningCollector;
  let file: string;
  let base: string;
  let exporter: ReturnType<typeof createExporter>;
  let reloads = 0;

  /** Writes a configuration: its own lines, then more. */
  const write = (more: string, { allow = '', token = '""', keep = base } = {}): void =>
    writeFileSync(file, keep.replace('ALLOW', allow).replace('TOKEN', token) + more);
  const lines = (): Record<string, unknown>[] =>
    collector
      .output()
      .split('\n')
      // The last may be half there.
      .slice(0, -1)
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const about = (message: string): Record<string, unknown>[] => lines().filter(({ msg }) => msg === message);
  /** Of the UDP sockets: another socket has another one. */
  const inodes = async (): Promise<unknown[]> =>
    ((await collector.status()).details['listeners'] as unknown as { inode: number }[]).map(({ inode }) => inode);
  const reload = async (): Promise<string[]> => {
    reloads += 1;
    collector.kill('SIGHUP');
    await until(
      async () => about('configuration reloaded').length === reloads,
      10_000,
      () => `a reload:\n${collector.output().slice(-2000)}`,
    );
    return about('configuration reloaded').at(-1)?.['changed'] as string[];
  };
  const stored = (records: number): Promise<unknown> =>
    until(
      async () => (await collector.metrics()).includes(`ringflow_ledger_stored_records_total ${records}\n`),
      15_000,
      () => `${records} are stored:\n${collector.output().slice(-2000)}`,
    );
  const series = async (name: string): Promise<string | undefined> =>
    new RegExp(`^${name.replaceAll(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec(await collector.metrics())?.[1];
  /** Processes say each second what they counted; a busy machine is later than that. */
  const becomes = (name: string, value: string): Promise<unknown> =>
    until(async () => (await series(name)) === value, 20_000, `${name} is ${value}`);
  const get = (path: string, token?: string): Promise<Response> =>
    fetch(collector.url + path, token ? { headers: { authorization: `Bearer ${token}` } } : {});

  beforeAll(async () => {
    folder = createFolder();
    file = join(folder.path, 'ringflow.yml');
    base = BASE(0, 0);
    write('');
    collector = await startCollector(folder.path);
    exporter = createExporter(collector.udpPort);
  }, 60_000);
  afterAll(async () => {
    exporter.close();
    collector.kill('SIGTERM');
    await collector.exited;
    folder.remove();
  });

  test('a start counts as taken over', async () => {
    expect(await series('ringflow_config_last_reload_successful')).toBe('1');
    const atSeconds = Number(await series('ringflow_config_last_reload_success_timestamp_seconds'));
    expect(Math.abs(atSeconds - Date.now() / 1000)).toBeLessThan(60);
  });

  test('keeps sockets, templates and processes, and what it knows of exporters', async () => {
    await exporter.template();
    await exporter.flows(3);
    await stored(3);
    const pids = [await collector.childPid('inlet'), await collector.childPid('store')];
    const before = await inodes();
    write('enrich: {sampling: {override: {127.0.0.0/8: 10}}}\n');
    expect(await reload()).toEqual(['enrich.sampling.override']);
    // Without its template, which came before the reload, these could not be decoded.
    await exporter.flows(4);
    await stored(7);
    expect([await collector.childPid('inlet'), await collector.childPid('store')]).toEqual(pids);
    expect(await inodes()).toEqual(before);
    // The first three count once, the later four ten times.
    await becomes('ringflow_traffic_bytes_total{exporter="127.0.0.1"}', '4300');
    await becomes('ringflow_sequence_lost_total{exporter="127.0.0.1",protocol="NETFLOW_V9"}', '0');
  });

  test('sets, watches, names and bounds of queries', async () => {
    const sets = async (): Promise<string[]> =>
      ((await (await get('/api/v1/fields')).json()) as { sets: string[] }).sets;
    expect(await sets()).toEqual(['private']);
    write(
      [
        'names: {exporters: {127.0.0.1: edge7}, interfaces: {127.0.0.1: {1: uplink}}, sets: {guests: [10.0.0.0/24]}}',
        'metrics: {watches: {visitors: "src_addr in @guests"}}',
        'query: {max_rows: 100}',
        'store: {max_bytes: 2GiB}',
        'spool: {max_bytes: 3GiB}',
        '',
      ].join('\n'),
    );
    expect((await reload()).sort()).toEqual([
      'enrich.sampling.override',
      'metrics.watches',
      'names.exporters',
      'names.interfaces',
      'names.sets',
      'query.max_rows',
      'spool.max_bytes',
      'store.max_bytes',
    ]);
    expect(await sets()).toEqual(['private', 'guests']);
    await exporter.flows(5);
    await stored(12);
    await becomes('ringflow_watch_records_total{watch="visitors"}', '5');
    await becomes('ringflow_exporter_info{exporter="127.0.0.1",name="edge7"}', '1');
    await becomes('ringflow_interface_info{exporter="127.0.0.1",interface="1",name="uplink",description=""}', '1');
    await becomes('ringflow_store_limit_bytes', String(2 * 2 ** 30));
    await becomes('ringflow_spool_limit_bytes', String(3 * 2 ** 30));
    const found = await collector.query({ kind: 'records', filter: 'exporter = "edge7" and src_addr in @guests' });
    expect(found.frames[0]?.data.values[0]).toHaveLength(12);
    const refused = await collector.query({ kind: 'records', limit: 200, columns: ['bytes'] });
    expect([refused.status, refused.code]).toEqual([200, undefined]);
  });

  test('the allow-list: who is left out now is refused, who comes in is taken', async () => {
    write('', { allow: '192.0.2.0/24' });
    await reload();
    await exporter.flows(6);
    await becomes('ringflow_inlet_refused_datagrams_total{reason="not_allowed"}', '1');
    write('', { allow: '127.0.0.0/8' });
    await reload();
    await exporter.flows(6);
    await stored(18);
  });

  test('the token', async () => {
    expect((await get('/api/v1/status')).status).toBe(200);
    write('', { token: 'first-secret' });
    await reload();
    expect([(await get('/api/v1/status')).status, (await get('/api/v1/status', 'first-secret')).status]).toEqual([
      401, 200,
    ]);
    write('http_typo: 1\n', { token: 'second-secret' });
    collector.kill('SIGHUP');
    await until(async () => about('configuration not reloaded, the one before stays').length === 1, 5000, 'a refusal');
    expect([
      (await get('/api/v1/status', 'first-secret')).status,
      (await get('/api/v1/status', 'second-secret')).status,
    ]).toEqual([200, 401]);
    write('');
    await reload();
    expect((await get('/api/v1/status')).status).toBe(200);
    expect(collector.output()).not.toContain('first-secret');
    expect(collector.output()).not.toContain('second-secret');
  });

  test('a bad file changes nothing, and log, status page and metrics say why', async () => {
    const before = await series('ringflow_config_last_reload_success_timestamp_seconds');
    write('query: {max_rows: many}\nstore:\n  max_byte: 5GiB\n');
    collector.kill('SIGHUP');
    const refusals = () => about('configuration not reloaded, the one before stays').slice(1);
    await until(
      async () => refusals().length === 2,
      5000,
      () => `two refusals:\n${collector.output().slice(-2000)}`,
    );
    expect(refusals().map(({ file, line, key }) => ({ file, line, key }))).toEqual([
      { file: 'ringflow.yml', line: 5, key: 'query.max_rows' },
      { file: 'ringflow.yml', line: 7, key: 'store.max_byte' },
    ]);
    expect(await series('ringflow_config_last_reload_successful')).toBe('0');
    expect(await series('ringflow_config_last_reload_success_timestamp_seconds')).toBe(before);
    const page = await (await get('/')).text();
    expect(page).toContain('configuration not reloaded, the one before stays: ringflow.yml:7: store.max_byte');
    await exporter.flows(1);
    await stored(19);

    writeFileSync(file, 'a: [');
    collector.kill('SIGHUP');
    await until(async () => refusals().length > 2, 5000, 'a refusal of what is no YAML');
    write('');
    await reload();
    expect(await series('ringflow_config_last_reload_successful')).toBe('1');
  });

  test('what is right by itself but cannot be used is refused as a whole', async () => {
    writeFileSync(join(folder.path, 'not-there.pem'), '');
    write('query: {max_rows: 123}\nenrich: {sampling: {default: 7}}\n', {
      allow: '192.0.2.0/24',
      keep: base.replace('token: TOKEN', 'token: TOKEN, tls: {cert: ./not-there.pem, key: ./not-there.pem}'),
    });
    const before = about('configuration not reloaded, the one before stays').length;
    collector.kill('SIGHUP');
    await until(
      async () =>
        about('configuration not reloaded, the one before stays').length > before ||
        about('configuration reloaded').length > reloads,
      5000,
      'an answer',
    );
    // TLS cannot be turned on while it runs: named, and the rest is taken over.
    expect(about('these keys change with a restart only: http.tls.cert, http.tls.key')).toHaveLength(1);
    reloads += 1;
    write('');
    await reload();
  });

  test('keys that need a restart are named once, and stay as they were', async () => {
    write('processes: {answer_timeout_ms: 5s}\nquery: {concurrency: 2}\n', {
      keep: base.replace('127.0.0.1:0', '127.0.0.1:1'),
    });
    expect(await reload()).toEqual(['query.concurrency']);
    expect(
      lines()
        .filter(({ level, msg }) => level === 'warn' && /restart only/.test(String(msg)))
        .at(-1),
    ).toMatchObject({
      msg: 'these keys change with a restart only: inlet.listen, processes.answer_timeout_ms',
      keys: ['inlet.listen', 'processes.answer_timeout_ms'],
    });
    await exporter.flows(1);
    await stored(20);
  });

  test('the level of the log', async () => {
    write('', { keep: base.replace('level: info', 'level: debug') });
    await reload();
    await exporter.flows(1);
    await until(async () => about('segments loaded').length > 0, 5000, 'a debug line of the store');
    write('');
    await reload();
    expect(readFileSync(file, 'utf8')).toContain('level: info');
  });

  test('from a shell, as the documentation says', async () => {
    reloads += 1;
    execFileSync('kill', ['-HUP', String(collector.pid)]);
    await until(async () => about('configuration reloaded').length === reloads, 5000, 'a reload');
  });
});
