import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFolder, runCommand, startCollector, until, type RunningCollector } from './testing/collector.ts';
import { createSender, freeUdpPort, type Sent } from './testing/sender.ts';

/** What the store holds, by one resolution. */
async function totals(collector: RunningCollector, resolution: 'raw' | '1m' | '1h'): Promise<Sent> {
  const result = await collector.query({ kind: 'stat', resolution });
  if (result.error !== undefined) throw new Error(result.error);
  const frame = result.frames[0];
  const value = (name: string): number =>
    Number(frame?.data.values[frame.schema.fields.findIndex((field) => field.name === name)]?.[0] ?? NaN);
  return { records: value('flows'), bytes: value('bytes'), packets: value('packets') };
}

/** Waits until nothing waits any more, then checks the ledger and that raw and rings agree. */
async function settle(collector: RunningCollector, atLeast: number): Promise<Sent> {
  const { ledger } = await until(
    async () => {
      const status = await collector.status().catch(() => undefined);
      return status && status.store.open && status.ledger.waiting === 0 && status.ledger.stored >= atLeast && status;
    },
    45_000,
    () => `everything is stored:\n${collector.output().slice(-3000)}`,
  );
  expect(ledger.difference).toBe(0);
  expect(ledger.dropped).toEqual([]);
  const raw = await totals(collector, 'raw');
  expect(raw.records).toBe(ledger.stored);
  expect(await totals(collector, '1m')).toEqual(raw);
  expect(await totals(collector, '1h')).toEqual(raw);
  return raw;
}

const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

describe('ringflow serve', () => {
  let folder: ReturnType<typeof createFolder>;
  const running: RunningCollector[] = [];
  const start = async (): Promise<RunningCollector> => {
    const collector = await startCollector(folder.path);
    running.push(collector);
    return collector;
  };
  beforeEach(() => (folder = createFolder('metrics: {watches: {dns: "dst_port = 53"}}\n')));
  afterEach(async () => {
    for (const collector of running.splice(0)) {
      collector.kill('SIGTERM');
      await collector.exited;
    }
    folder.remove();
  });

  test('stores what was sent, answers queries, counts traffic, and stops in good order', async () => {
    const collector = await start();
    const sender = createSender(collector.udpPort);
    await sender.send(100);
    expect(await settle(collector, sender.sent.records)).toEqual(sender.sent);

    // The inlet says each second what it received; a busy machine is later than that.
    const datagrams = `ringflow_exporter_datagrams_total{exporter="127.0.0.1",protocol="NETFLOW_V5"} 100\n`;
    await until(async () => (await collector.metrics()).includes(datagrams), 20_000, datagrams);
    const metrics = await collector.metrics();
    expect(metrics).toContain(`ringflow_traffic_bytes_total{exporter="127.0.0.1"} ${sender.sent.bytes}\n`);
    expect(metrics).toContain(
      `ringflow_interface_packets_total{exporter="127.0.0.1",interface="1",direction="in"} ${sender.sent.packets}\n`,
    );
    expect(metrics).toContain(`ringflow_protocol_records_total{protocol="UDP"} ${sender.sent.records}\n`);
    expect(metrics).toContain(`ringflow_service_bytes_total{service="dns"} ${sender.sent.bytes}\n`);
    expect(metrics).toContain(`ringflow_watch_records_total{watch="dns"} ${sender.sent.records}\n`);
    expect(metrics).toContain('ringflow_ledger_difference_records 0\n');

    const table = await runCommand(
      ['query', '--url', collector.url, '-g', 'dst_port', '--csv', '--from', 'now-10m', '--to', 'now+1m'],
      folder.path,
    );
    expect(table.stderr).not.toContain('ringflow:');
    expect(table.stdout).toContain(`,${sender.sent.packets},`);
    expect(table.code).toBe(0);

    const queries = await collector.metrics();
    // The job of the scoreboard may have asked for tables, too.
    expect(queries).toMatch(/\nringflow_queries_total\{kind="table",outcome="ok"\} [1-9]\d*\n/);
    expect(queries).toMatch(/\nringflow_query_read_rows_total\{kind="table",table="[a-z0-9_, +]+"\} \d+\n/);

    // What was received just before is sealed by the stop, and there after a restart.
    await sender.send(10);
    await sleep(50);
    collector.kill('SIGTERM');
    expect(await collector.exited).toBe(0);
    sender.close();
    expect(await settle(await start(), sender.sent.records)).toEqual(sender.sent);
  });

  test('a killed store loses nothing and doubles nothing', async () => {
    const collector = await start();
    const sender = createSender(collector.udpPort);
    const pid = await collector.childPid('store');
    const sending = sender.send(2000);
    await sleep(400);
    process.kill(pid, 'SIGKILL');
    await sending;
    sender.close();
    expect(await settle(collector, sender.sent.records)).toEqual(sender.sent);
    expect(await collector.metrics()).toContain('ringflow_process_restarts_total{process="store"} 1\n');
    const environment = readFileSync(`/proc/${await collector.childPid('store')}/environ`, 'latin1').split('\0');
    expect(environment).toContain('JE_MALLOC_CONF=dirty_decay_ms:500,muzzy_decay_ms:0');
  });

  test('a killed inlet loses nothing that was sealed and comes back on the same port', async () => {
    folder.remove();
    folder = createFolder('', await freeUdpPort());
    const collector = await start();
    const sender = createSender(collector.udpPort);
    await sender.send(300);
    // Longer than a seal takes: all of this is safe.
    await sleep(1000);
    const sealed = { ...sender.sent };
    const pid = await collector.childPid('inlet');
    const sending = sender.send(300);
    await sleep(100);
    process.kill(pid, 'SIGKILL');
    await sending;
    await until(async () => (await collector.childPid('inlet').catch(() => pid)) !== pid, 10_000, 'a new inlet');
    await until(
      async () => (await collector.metrics()).includes('ringflow_process_up{process="inlet"} 1\n'),
      10_000,
      'the new inlet is up',
    );
    const raw = await settle(collector, sealed.records);
    expect(raw.records).toBeGreaterThanOrEqual(sealed.records);
    expect(raw.records).toBeLessThan(sender.sent.records);

    const later = createSender(collector.udpPort);
    await later.send(10);
    const after = await settle(collector, raw.records + later.sent.records);
    expect(after.records).toBe(raw.records + later.sent.records);
    expect(after.bytes).toBe(raw.bytes + later.sent.bytes);
    sender.close();
    later.close();
  });

  test('a killed main: inlet and store end in good order, the next start goes on', async () => {
    const collector = await start();
    const sender = createSender(collector.udpPort);
    const children = [await collector.childPid('inlet'), await collector.childPid('store')];
    await sender.send(1000);
    // Received, but not sealed yet: the inlet has to do that without main.
    await sleep(20);
    collector.kill('SIGKILL');
    await collector.exited;
    await until(async () => children.every(isGone), 20_000, 'the children have ended');
    sender.close();
    expect(await settle(await start(), sender.sent.records)).toEqual(sender.sent);
  });

  test('without its ClickHouse server everything waits in the spool, and the ledger says so', async () => {
    folder.remove();
    folder = createFolder('store: {url: "http://127.0.0.1:9"}\n');
    const collector = await start();
    const sender = createSender(collector.udpPort);
    await sender.send(20);
    sender.close();
    const { ledger, store } = await until(
      async () => {
        const status = await collector.status();
        return status.ledger.received === sender.sent.records && status;
      },
      20_000,
      () => `the ledger knows what waits:\n${collector.output().slice(-2000)}`,
    );
    expect(ledger).toEqual({ received: 600, stored: 0, waiting: 600, dropped: [], difference: 0 });
    expect(store.open).toBe(false);
    expect((await collector.query({ kind: 'stat' })).code).toBe('store_unavailable');
    expect((await fetch(`${collector.url}/readyz`)).status).toBe(503);
  });

  test('a second one on the same data directory is refused', async () => {
    const collector = await start();
    const second = await runCommand(['serve'], folder.path);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`Another ringflow (process ${collector.pid}) works in`);
    expect(second.stderr).toContain('RINGFLOW_DATA');
  });

  test('a port that is taken is named with what to do', async () => {
    const collector = await start();
    const port = new URL(collector.url).port;
    const http = await runCommand(['serve'], folder.path, {
      RINGFLOW_DATA: `${folder.path}/b`,
      RINGFLOW_HTTP_PORT: port,
    });
    expect(http.code).toBe(1);
    expect(http.stderr).toContain(port);
    expect(http.stderr).toMatch(/http\.port|RINGFLOW_HTTP_PORT/);
    const udp = await runCommand(['serve'], folder.path, {
      RINGFLOW_DATA: `${folder.path}/c`,
      RINGFLOW_INLET_LISTEN: `127.0.0.1:${collector.udpPort}`,
    });
    expect(udp.code).toBe(1);
    expect(udp.stderr).toContain(String(collector.udpPort));
    expect(udp.stderr).toMatch(/inlet\.listen|RINGFLOW_INLET_LISTEN/);
  });

  test('the demo sends, names its exporters and answers a query', async () => {
    folder.remove();
    folder = createFolder('demo: {history_hours: 1, history_flows_per_minute: 100, history_days: 0}\n');
    const collector = await startCollector(folder.path, 'demo');
    running.push(collector);
    const names = await until(
      async () => {
        const result = await collector.query({ kind: 'table', groupBy: ['sampler_address'] });
        const frame = result.frames[0];
        const at = frame?.schema.fields.findIndex(({ name }) => name === 'sampler_address_name') ?? -1;
        const found = (frame?.data.values[at] ?? []).filter((name) => name !== null && name !== '');
        return found.length >= 3 && found;
      },
      30_000,
      () => `three exporters:\n${collector.output().slice(-2000)}`,
    );
    expect(names).toEqual(expect.arrayContaining(['edge1', 'edge2']));
    expect(collector.output()).toContain('npx ringflow query --url');
  });
});
