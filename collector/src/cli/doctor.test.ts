import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Diagnosis, Severity } from './doctor/checks.ts';
import { createFolder, runCommand, startCollector, until, type RunningCollector } from './testing/collector.ts';
import { createSender, freeUdpPort } from './testing/sender.ts';

interface Report {
  readonly code: number | null;
  readonly status: Severity;
  readonly findings: readonly Diagnosis[];
  /** Findings of one check. */
  of(check: string): readonly Diagnosis[];
}

/** Runs the doctor as its users run it. */
async function doctor(folder: string, ...args: string[]): Promise<Report> {
  const { code, stdout, stderr } = await runCommand(['doctor', '--json', ...args], folder);
  if (stdout === '') throw new Error(stderr);
  const { status, findings } = JSON.parse(stdout) as { status: Severity; findings: Diagnosis[] };
  return { code, status, findings, of: (check) => findings.filter((finding) => finding.check === check) };
}

const folders: ReturnType<typeof createFolder>[] = [];
const running: RunningCollector[] = [];

/** A folder with a configuration of its own. */
function folderWith(yaml: string): string {
  const folder = createFolder();
  folders.push(folder);
  writeFileSync(join(folder.path, 'ringflow.yml'), `data_dir: ./data\nlog: {format: json}\n${yaml}`);
  return folder.path;
}

async function start(folder: string): Promise<RunningCollector> {
  const collector = await startCollector(folder);
  running.push(collector);
  return collector;
}

afterEach(async () => {
  for (const collector of running.splice(0)) {
    collector.kill('SIGTERM');
    await collector.exited;
  }
  for (const folder of folders.splice(0)) folder.remove();
});

/** An exporter that sends from one port, as a template belongs to it. */
function createExporter(port: number): { send(datagram: Buffer): Promise<void>; close(): void } {
  const socket = createSocket('udp4');
  return {
    send: (datagram) =>
      new Promise((resolve, reject) =>
        socket.send(datagram, port, '127.0.0.1', (error: Error | null) => (error ? reject(error) : resolve())),
      ),
    close: () => socket.close(),
  };
}

/** RFC 7011: a message with one data set, whose template 256 was never sent. */
function ipfixWithoutTemplate(): Buffer {
  const buffer = Buffer.alloc(16 + 4 + 20);
  buffer.writeUInt16BE(10, 0);
  buffer.writeUInt16BE(buffer.length, 2);
  buffer.writeUInt32BE(Math.floor(Date.now() / 1000) - 7200, 4);
  buffer.writeUInt32BE(77, 12);
  buffer.writeUInt16BE(256, 16);
  buffer.writeUInt16BE(24, 18);
  return buffer;
}

/** The template of {@link ipfixWithoutTemplate}: addresses, bytes, packets, start. */
function ipfixTemplate(): Buffer {
  const fields = [8, 12, 1, 2, 150];
  const buffer = Buffer.alloc(16 + 8 + fields.length * 4);
  buffer.writeUInt16BE(10, 0);
  buffer.writeUInt16BE(buffer.length, 2);
  buffer.writeUInt32BE(Math.floor(Date.now() / 1000) - 7200, 4);
  buffer.writeUInt32BE(1, 8);
  buffer.writeUInt32BE(77, 12);
  buffer.writeUInt16BE(2, 16);
  buffer.writeUInt16BE(buffer.length - 16, 18);
  buffer.writeUInt16BE(256, 20);
  buffer.writeUInt16BE(fields.length, 22);
  fields.forEach((id, index) => buffer.writeUInt32BE(id * 65_536 + 4, 24 + index * 4));
  return buffer;
}

/** Until the collector counts what was sent. */
const counted = (collector: RunningCollector, is: (text: string) => boolean): Promise<unknown> =>
  until(async () => is(JSON.stringify(await collector.status())), 15_000, 'the collector counts what was sent');

describe('without a collector', () => {
  test('names the program that has a port, and exits with 2', async () => {
    const taken = createSocket('udp4');
    await new Promise<void>((resolve) => taken.bind(0, '127.0.0.1', resolve));
    const stranger = createServer((_, response) => response.end('hello'));
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    try {
      const udp = taken.address().port;
      const tcp = (stranger.address() as AddressInfo).port;
      const folder = folderWith(`inlet: {listen: ["127.0.0.1:${udp}"]}\nhttp: {port: ${tcp}}\n`);
      const report = await doctor(folder);
      expect([report.code, report.status]).toEqual([2, 'fail']);
      expect(report.of('collector')[0]).toMatchObject({
        status: 'fail',
        message: expect.stringContaining('not this version of Ringflow') as string,
      });
      const [first, second] = report.of('ports');
      expect(first?.message).toMatch(new RegExp(`^UDP 127.0.0.1:${udp} is taken by `));
      expect(second?.message).toMatch(new RegExp(`^TCP 127.0.0.1:${tcp} is taken by `));
      // Where the system shows other processes' sockets: this very process has them.
      if (process.platform === 'linux') expect(first?.message).toContain(`(process ${process.pid})`);
      const text = await runCommand(['doctor'], folder);
      expect(text.stdout).toMatch(/^FAIL {2}Ports/m);
      expect(text.stdout).toMatch(/^ +→ Stop it, or set inlet.listen to another port$/m);
      expect(text.code).toBe(2);
    } finally {
      taken.close();
      stranger.close();
    }
  });

  test('says that nothing is started, and that it could be', async () => {
    const udp = await freeUdpPort();
    const report = await doctor(
      folderWith(`inlet: {listen: ["[::]:${udp}", "203.0.113.77:${udp}"]}\nhttp: {port: 9}\n`),
      '--url',
      'http://127.0.0.1:8',
    );
    expect(report.of('collector')[0]?.mend).toContain('ringflow serve');
    expect(report.of('ports').map(({ message }) => message)).toEqual(
      expect.arrayContaining([`This machine has no address as in UDP 203.0.113.77:${udp}`]),
    );
    expect(report.of('disk')[0]?.message).toMatch(/free in/);
  });

  test('a broken configuration is the first finding', async () => {
    const report = await doctor(folderWith('inlet: {listne: ["2055"]}\n'), '--url', 'http://127.0.0.1:8');
    expect(report.findings[0]).toMatchObject({ check: 'config', status: 'fail', mend: 'Write listen' });
    expect(report.code).toBe(2);
  });

  test('a wrong option is refused', async () => {
    const { code, stderr } = await runCommand(['doctor', '--silent-after', 'soon'], folderWith(''));
    expect([code, stderr]).toEqual([2, expect.stringContaining('--silent-after must be a duration')]);
  });
});

describe('with a collector', () => {
  test('from silence over garbage and missing templates to a silent exporter', async () => {
    const folder = folderWith(
      'inlet: {listen: ["127.0.0.1:0"], seal_interval_ms: 200}\nhttp: {port: 0}\nstore: {max_bytes: 16MiB}\n',
    );
    const collector = await start(folder);
    const ask = (...args: string[]): Promise<Report> => doctor(folder, '--url', collector.url, ...args);

    const silence = await ask();
    expect(silence.code).toBe(2);
    expect(silence.of('exporters')).toMatchObject([
      {
        status: 'fail',
        message: expect.stringMatching(/^No datagram has come in/) as string,
        mend: expect.stringContaining(`udp port ${collector.udpPort}`) as string,
      },
    ]);
    expect(silence.of('ports')).toMatchObject([
      { status: 'warn', message: expect.stringContaining('no other machine can send') as string },
    ]);

    const exporter = createExporter(collector.udpPort);
    await exporter.send(Buffer.from('<13>hello: this is syslog'));
    await counted(collector, (text) => /"(unknown_protocol|unsupported_version)":1/.test(text));
    expect((await ask()).of('protocol')).toMatchObject([
      { status: 'fail', message: expect.stringMatching(/^1 datagram from 127\.0\.0\.1 are neither/) as string },
    ]);

    await exporter.send(ipfixWithoutTemplate());
    await counted(collector, (text) => text.includes('"template_missing":1'));
    const missing = await ask();
    expect(missing.of('templates')).toMatchObject([
      {
        status: 'fail',
        message: expect.stringMatching(/^127\.0\.0\.1 has sent data but no template yet.*1 set kept/) as string,
      },
    ]);
    expect(missing.of('clock')).toMatchObject([
      { status: 'warn', message: expect.stringContaining('127.0.0.1 2h') as string },
    ]);

    // The template comes: what was kept is decoded, and nobody has said how it was sampled.
    await exporter.send(ipfixTemplate());
    await counted(collector, (text) => text.includes('"stored":1,'));
    const decoded = await ask();
    expect(decoded.of('templates')).toMatchObject([{ status: 'ok' }]);
    expect(decoded.of('sampling')).toMatchObject([
      { status: 'warn', message: expect.stringContaining('The sampling rate of 127.0.0.1 is unknown') as string },
    ]);

    const sender = createSender(collector.udpPort);
    await sender.send(2);
    sender.close();
    await counted(collector, (text) => text.includes('"stored":61'));
    const flowing = await ask();
    expect(flowing.of('exporters')).toMatchObject([{ status: 'ok' }]);
    expect(flowing.of('protocol')).toMatchObject([{ status: 'warn' }]);
    expect(flowing.of('ledger')).toMatchObject([
      { status: 'ok', message: '61 records received, all of them stored or waiting' },
    ]);
    expect(flowing.code).toBe(1);

    exporter.close();
    await sleep(1100);
    const silent = await ask('--silent-after', '1s');
    expect(silent.of('exporters')).toMatchObject([
      { status: 'fail', message: expect.stringMatching(/^Every exporter is silent: 127\.0\.0\.1 for/) as string },
    ]);
    expect(silent.code).toBe(2);
  }, 90_000);

  test('a wrong allow-list is named with who it keeps out', async () => {
    const folder = folderWith('inlet: {listen: ["127.0.0.1:0"], allow_exporters: ["192.0.2.0/24"]}\nhttp: {port: 0}\n');
    const collector = await start(folder);
    const sender = createSender(collector.udpPort);
    await sender.send(3);
    sender.close();
    await counted(collector, (text) => text.includes('"not_allowed":3'));
    const report = await doctor(folder, '--url', collector.url);
    expect(report.of('allow-list')).toMatchObject([
      { status: 'fail', message: '3 datagrams from 127.0.0.1 refused: not in inlet.allow_exporters' },
    ]);
    expect(report.of('exporters')).toMatchObject([
      { status: 'fail', message: expect.stringContaining('see the allow-list') as string },
    ]);
    expect(report.code).toBe(2);
  }, 60_000);

  test('a disk without room is a failure, and what was dropped is told', async () => {
    const folder = folderWith(
      'inlet: {listen: ["127.0.0.1:0"], seal_interval_ms: 100, row_limit: 30}\nspool: {min_free_bytes: 8000TiB}\nhttp: {port: 0}\n',
    );
    const collector = await start(folder);
    const sender = createSender(collector.udpPort);
    await sender.send(10);
    sender.close();
    await counted(collector, (text) => text.includes('"spool_full"'));
    const report = await doctor(folder, '--url', collector.url);
    expect(report.of('disk')).toMatchObject([
      { status: 'fail', message: expect.stringContaining('records are dropped') as string },
    ]);
    expect(report.of('ledger')).toMatchObject([
      { status: 'warn', message: expect.stringMatching(/\d+ records? of 127\.0\.0\.1 \(spool full\)/) as string },
    ]);
  }, 60_000);

  test('all is well: exit code 0; then a process that died is a warning; a token is asked for', async () => {
    const folder = folderWith(
      'inlet: {listen: ["[::]:0"], seal_interval_ms: 200, receive_buffer_bytes: 100000}\nhttp: {port: 0, token: secret}\nstore: {max_bytes: 16MiB}\nenrich: {sampling: {default: 1}}\n',
    );
    const collector = await start(folder);
    const sender = createSender(collector.udpPort);
    await sender.send(2);
    const headers = { authorization: 'Bearer secret' };
    const status = async (): Promise<string> => (await fetch(`${collector.url}/api/v1/status`, { headers })).text();
    await until(async () => (await status()).includes('"stored":60'), 15_000, 'all is stored');

    // The token of the configuration is taken.
    const well = await doctor(folder, '--url', collector.url);
    expect(well.findings.filter((finding) => finding.status !== 'ok')).toEqual([]);
    expect([well.code, well.status]).toEqual([0, 'ok']);
    const refused = await doctor(folder, '--url', collector.url, '--token', 'wrong');
    expect(refused.of('collector')).toMatchObject([{ status: 'fail', mend: 'Give it with --token or RINGFLOW_TOKEN' }]);

    const { details } = JSON.parse(await status()) as { details: { processes: { role: string; pid: number }[] } };
    process.kill(details.processes.find(({ role }) => role === 'store')?.pid as number, 'SIGKILL');
    await until(
      async () =>
        /"role":"store","state":"up"[^}]*"restarts":1|"role":"store"[^}]*"restarts":1[^}]*"state":"up"/.test(
          await status(),
        ),
      30_000,
      'the store is back',
    );
    const died = await doctor(folder, '--url', collector.url);
    expect(died.of('processes')).toMatchObject([
      { status: 'warn', message: 'The process store died and was started again 1 time' },
    ]);
    expect(await status()).toContain(
      '"problems":[{"process":"main","level":"error","message":"store: process ended (SIGKILL)"',
    );
    sender.close();
  }, 90_000);
});
