import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { scanSpool } from '../spool/index.ts';
import { createFolder, startCollector, until, type RunningCollector } from './testing/collector.ts';
import { createSender } from './testing/sender.ts';

/** SIGTERM to exit. */
async function stopped(collector: RunningCollector): Promise<void> {
  collector.kill('SIGTERM');
  expect(await collector.exited).toBe(0);
}

/** What lies in a data directory that nobody works on. */
async function atRest(folder: string): Promise<{ stored: number; waiting: number }> {
  const { ready } = await scanSpool(join(folder, 'data/spool'));
  const { stored } = JSON.parse(readFileSync(join(folder, 'data/ledger.json'), 'utf8')) as { stored: number };
  return { stored, waiting: ready.reduce((sum, { rows }) => sum + rows, 0) };
}

describe('a collector under load', () => {
  let folder: ReturnType<typeof createFolder>;
  const running: RunningCollector[] = [];
  const start = async (env: Record<string, string> = {}): Promise<RunningCollector> => {
    const collector = await startCollector(folder.path, 'serve', env);
    running.push(collector);
    return collector;
  };
  const settled = (collector: RunningCollector, records: number): Promise<unknown> =>
    until(
      async () => {
        const { ledger } = await collector.status();
        return (
          ledger.stored === records && ledger.waiting === 0 && ledger.difference === 0 && ledger.dropped.length === 0
        );
      },
      40_000,
      () => `all ${records} are stored:\n${collector.output().slice(-2000)}`,
    );
  beforeEach(() => (folder = createFolder()));
  afterEach(async () => {
    for (const collector of running.splice(0)) {
      collector.kill('SIGKILL');
      await collector.exited;
    }
    folder.remove();
  });

  test('SIGTERM: what was received is stored or waits, and the next start loads what waits', async () => {
    const collector = await start();
    const sender = createSender(collector.udpPort);
    await sender.send(3000);
    // No pause: the last datagrams are still in the kernel's buffer.
    await stopped(collector);
    sender.close();
    const { stored, waiting } = await atRest(folder.path);
    expect(stored + waiting).toBe(sender.sent.records);
    await settled(await start(), sender.sent.records);
  }, 90_000);

  test('SIGTERM while the store hangs: it is not waited for longer than ten seconds, everything waits, and nothing is lost or doubled', async () => {
    const collector = await start();
    const sender = createSender(collector.udpPort);
    await sender.send(500);
    process.kill(await collector.childPid('store'), 'SIGSTOP');
    await sender.send(500);
    await stopped(collector);
    sender.close();
    const [, patienceMs] = /store: did not end within (\d+) ms/.exec(collector.output()) ?? [];
    expect(Number(patienceMs)).toBeLessThan(10_000);
    const { waiting } = await atRest(folder.path);
    expect(waiting).toBeGreaterThanOrEqual(500 * 30);
    const again = await start();
    await settled(again, sender.sent.records);
    const { frames } = await again.query({ kind: 'stat', resolution: 'raw' });
    const names = frames[0]?.schema.fields.map(({ name }) => name) ?? [];
    expect(frames[0]?.data.values[names.indexOf('flows')]).toEqual([sender.sent.records]);
  }, 90_000);

  test.each(['inlet', 'store'] as const)(
    'a hung %s is killed and started again',
    async (role) => {
      const collector = await start({ RINGFLOW_PROCESSES_ANSWER_TIMEOUT_MS: '1500' });
      const pid = await collector.childPid(role);
      // Busy is not hung.
      const sender = createSender(collector.udpPort);
      await sender.send(1000);
      sender.close();
      await sleep(2000);
      expect(await collector.childPid(role)).toBe(pid);
      process.kill(pid, 'SIGSTOP');
      await until(
        async () => (await collector.metrics()).includes(`ringflow_process_restarts_total{process="${role}"} 1\n`),
        15_000,
        () => `a new ${role}:\n${collector.output().slice(-2000)}`,
      );
      await until(
        async () => (await collector.metrics()).includes(`ringflow_process_up{process="${role}"} 1\n`),
        15_000,
        `the new ${role} is up`,
      );
      expect(collector.output()).toContain(`${role}: did not answer for 1500 ms, killing it`);
      // Once killed, once told.
      expect(collector.output()).not.toContain(`${role}: process ended`);
      expect(await collector.childPid(role)).not.toBe(pid);
      if (role === 'store') await settled(collector, sender.sent.records);
    },
    60_000,
  );

  test('the service manager is told of start, reload and stop, and fed', async () => {
    const socket = join(folder.path, 'notify');
    const listener = spawn(
      'python3',
      [
        '-c',
        'import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind(sys.argv[1])\nprint("listening",flush=True)\nwhile True: print(s.recv(65536).decode().replace("\\n"," "),flush=True)',
        socket,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const absent = new Promise<boolean>((resolve) => listener.once('error', () => resolve(true)));
    let said = '';
    listener.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const listens = until(async () => said.includes('listening'), 10_000, 'the listener').then(() => false);
    if (await Promise.race([absent, listens])) {
      process.stderr.write('service manager: python3 not installed; its test is skipped\n');
      return;
    }
    try {
      const collector = await start({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' });
      const has = (what: RegExp): Promise<unknown> =>
        until(
          async () => what.test(said),
          10_000,
          () => `${what}: ${said}`,
        );
      await has(/^READY=1$/m);
      await has(/^STATUS=receiving on UDP \d+; 0 records stored, 0 waiting$/m);
      await has(/^WATCHDOG=1$/m);
      collector.kill('SIGHUP');
      await has(/^RELOADING=1 MONOTONIC_USEC=\d+\n(WATCHDOG=1\n)*READY=1$/m);
      collector.kill('SIGTERM');
      expect(await collector.exited).toBe(0);
      await has(/^STOPPING=1$/m);
    } finally {
      listener.kill();
    }
  }, 60_000);

  test('SIGUSR2 turns debug lines of all processes on and off', async () => {
    const collector = await start();
    const sender = createSender(collector.udpPort);
    const count = (): number => collector.output().split('"segments loaded"').length - 1;
    await sender.send(20);
    await settled(collector, sender.sent.records);
    expect(count()).toBe(0);
    collector.kill('SIGUSR2');
    await until(
      async () => collector.output().includes('"level":"debug","msg":"log level changed"'),
      5000,
      'the level',
    );
    await sender.send(20);
    await until(async () => count() > 0, 10_000, 'a debug line of the store');
    collector.kill('SIGUSR2');
    await until(async () => collector.output().includes('"level":"info","msg":"log level changed"'), 5000, 'the level');
    const before = count();
    await sender.send(20);
    await settled(collector, sender.sent.records);
    sender.close();
    expect(count()).toBe(before);
  }, 60_000);
});
