import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NameEntry } from '@ringflow/contract';
import { describeWith, findProgram } from '../../../e2e/testing/programs.ts';
import { SNMP_DEFAULTS, type SnmpConfig, type SnmpCredentials } from './config.ts';
import { createSnmpPoller, credentialsOf } from './poller.ts';
import { askExporter, type SnmpAnswer } from './session.ts';

const snmpd = findProgram('snmpd');

const QUICK: SnmpConfig = { ...SNMP_DEFAULTS, enabled: true, timeout_ms: 400, retries: 1 };
const folder = mkdtempSync(join(tmpdir(), 'ringflow-snmp-'));
let agent: ChildProcess | undefined;
let port = 0;

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port: free } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return free;
}

beforeAll(async () => {
  if (snmpd === null) return;
  port = await freePort();
  writeFileSync(
    join(folder, 'snmpd.conf'),
    [
      `agentaddress udp:127.0.0.1:${port}`,
      'rocommunity looking-glass 127.0.0.1',
      'createUser ringflow SHA "authentic password" AES "private password"',
      'rouser ringflow priv',
      'sysName edge1.example.net',
      '',
    ].join('\n'),
  );
  agent = spawn(snmpd, ['-f', '-C', '-c', join(folder, 'snmpd.conf'), '-Lf', join(folder, 'log')], {
    env: { ...process.env, SNMP_PERSISTENT_DIR: folder, MIBS: '' },
    stdio: 'ignore',
  });
  for (let tries = 0; ; tries++) {
    try {
      await ask({ community: 'looking-glass' });
      return;
    } catch (error) {
      if (tries > 20) throw error;
      await sleep(100);
    }
  }
});
afterAll(() => {
  agent?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const ask = (credentials: SnmpCredentials): Promise<SnmpAnswer> =>
  askExporter('127.0.0.1', { port, ...credentials }, QUICK, Date.now);

const V3 = {
  user: 'ringflow',
  auth_protocol: 'sha',
  auth_password: 'authentic password',
  priv_protocol: 'aes',
  priv_password: 'private password',
} as const;

describeWith(['snmpd'], 'a real agent', () => {
  test.each<[string, SnmpCredentials]>([
    ['v2c', { community: 'looking-glass' }],
    ['v3', V3],
  ])('%s: name, interfaces and counters of this machine', async (_, credentials) => {
    const { name, interfaces } = await ask(credentials);
    expect(name).toBe('edge1.example.net');
    const names = interfaces.map((one) => one.name);
    for (const known of Object.keys(networkInterfaces())) expect(names).toContain(known);
    const loopback = interfaces.find((one) => one.name === 'lo');
    expect(loopback).toMatchObject({ index: 1, speedBps: 10_000_000 });
    expect(loopback?.inBytes).toBeGreaterThan(0n);
    expect(loopback?.outBytes).toBeGreaterThan(0n);
  });

  test.each<[string, SnmpCredentials, RegExp]>([
    ['a wrong community', { community: 'public' }, /timed out/i],
    ['an unknown user', { ...V3, user: 'nobody' }, /unknown user|timed out/i],
    ['a wrong password', { ...V3, auth_password: 'another password' }, /wrong digest|authentication|timed out/i],
    ['a user that must encrypt', { user: 'ringflow' }, /authorization|access|security level|timed out/i],
  ])('%s is an error that says why', async (_, credentials, message) => {
    await expect(ask(credentials)).rejects.toThrow(message);
  });

  test('the poller asks those that send, tells their names and remembers who does not answer', async () => {
    const names: NameEntry[] = [];
    const counters: [string, number][] = [];
    const poller = createSnmpPoller(
      {
        ...QUICK,
        credentials: [
          { networks: ['127.0.0.1/32'], port, community: 'looking-glass' },
          { networks: ['127.0.0.2/32'], port, community: 'looking-glass' },
        ],
      },
      {
        exporters: () => ['127.0.0.1', '127.0.0.2', '127.0.0.3'],
        onNames: (entries) => names.push(...entries),
        onCounters: (exporter, answer) => counters.push([exporter, answer.interfaces.length]),
        log: { warn: () => undefined },
        now: Date.now,
      },
    );
    poller.start();
    while (poller.status().filter(({ answeredMs, error }) => answeredMs > 0 || error).length < 2) await sleep(50);
    await poller.stop();
    expect(names).toContainEqual({
      kind: 'exporter',
      exporter: '127.0.0.1',
      id: '127.0.0.1',
      name: 'edge1.example.net',
      description: '',
      speedBps: 0,
      source: 'snmp',
      attributes: {},
    });
    expect(names).toContainEqual(expect.objectContaining({ kind: 'interface', id: '1', name: 'lo', source: 'snmp' }));
    expect(counters.map(([exporter]) => exporter)).toEqual(['127.0.0.1']);
    expect(poller.status()).toEqual([
      { exporter: '127.0.0.1', answeredMs: expect.any(Number), interfaces: counters[0]?.[1], error: null },
      { exporter: '127.0.0.2', answeredMs: 0, interfaces: 0, error: expect.stringMatching(/timed out/i) },
    ]);
  });
});

test('the first credentials whose networks hold the exporter count', () => {
  const list = [{ networks: ['10.0.0.0/8', '2001:db8::/32'], community: 'a' }, { community: 'b' }];
  expect(['10.1.1.1', '2001:db8::1', '192.0.2.1'].map((one) => credentialsOf(list, one)?.community)).toEqual([
    'a',
    'a',
    'b',
  ]);
  expect(credentialsOf(list.slice(0, 1), '192.0.2.1')).toBeUndefined();
});
