import type { ExporterInfo, StatusResponse } from '@ringflow/contract';
import { CONFIG_DEFAULTS } from '../../config/index.ts';
import { CHECKS, diagnose, worstOf, type Finding } from './checks.ts';
import type { DoctorFacts, HostFacts } from './facts.ts';

// States that a test cannot cause on the machine it runs on: firewalls, gateways, a kernel that is out of buffer.
const NOW = Date.UTC(2026, 0, 10, 12);

const exporter = (change: Partial<ExporterInfo> = {}): ExporterInfo => ({
  address: '192.0.2.1',
  name: '',
  protocols: ['NETFLOW_V9'],
  domains: [0],
  firstSeenMs: NOW - 60_000,
  lastSeenMs: NOW - 1000,
  datagrams: 10,
  records: 100,
  recordsPerSecond: 1,
  datagramsPerSecond: 1,
  samplingRate: 100,
  lost: 0,
  lostUnits: ['datagrams'],
  templates: 1,
  templateMs: NOW - 5000,
  clockOffsetMs: 20,
  losses: {},
  interfaces: [],
  nameSource: '',
  attributes: {},
  ...change,
});

const HOST: HostFacts = {
  trials: [],
  openUdpPorts: [2055],
  receiveBufferLimit: 212_992,
  isRoot: false,
  firewall: { state: 'none', tool: null, accepted: [], dropped: [] },
  disk: { directory: '/srv', freeBytes: 2 ** 40, totalBytes: 2 ** 41 },
  dataProblem: null,
  spool: null,
  mainPid: null,
  gateways: ['10.9.8.1'],
};

const LISTENER = {
  address: '::',
  port: 2055,
  requestedBytes: 2 ** 25,
  grantedBytes: 2 ** 25,
  datagrams: 10,
  kernelDrops: 0,
  queueBytes: 0,
};

function facts(
  exporters: readonly ExporterInfo[] = [exporter()],
  change: {
    status?: Partial<StatusResponse>;
    details?: StatusResponse['details'];
    host?: Partial<HostFacts> | null;
  } & Partial<Omit<DoctorFacts, 'host'>> = {},
): DoctorFacts {
  const { status, details, host, ...more } = change;
  return {
    url: 'http://127.0.0.1:8055',
    nowMs: NOW,
    silentAfterMs: 300_000,
    config: CONFIG_DEFAULTS,
    configFile: undefined,
    configProblems: [],
    collector: {
      status: {
        version: '1.0.0',
        nowMs: NOW,
        startedMs: NOW - 3_600_000,
        ledger: { received: 100, stored: 100, waiting: 0, dropped: [], difference: 0 },
        store: { open: true, engine: 'embedded', tables: [], lastError: null },
        spool: { waitingSegments: 0, waitingRows: 0, waitingBytes: 0 },
        decoder: { templates: 1 },
        exporters: exporters.length,
        details: {
          listeners: [LISTENER],
          processes: [{ role: 'inlet', state: 'up', restarts: 0 }],
          limits: { storeBytes: 2 ** 35, spoolBytes: 2 ** 30, spoolFreeBytes: 2 ** 28, clockMs: 600_000 },
          disk: HOST.disk as NonNullable<HostFacts['disk']>,
          ...details,
        },
        ...status,
      },
      exporters,
      ready: { ready: true, reasons: [] },
    },
    refusal: null,
    host: host === null ? null : { ...HOST, ...host },
    ...more,
  };
}

const of = (check: string, given: DoctorFacts): Finding[] =>
  diagnose(given).filter((finding) => finding.check === check);

test('a healthy collector has nothing but ok', () => {
  expect(diagnose(facts()).filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(worstOf(diagnose(facts()))).toBe('ok');
  expect(worstOf([])).toBe('ok');
});

test('every finding that is not well says what to do, beginning with a verb, without a full stop', () => {
  const broken = [
    facts([]),
    facts(
      [
        exporter({
          address: '172.17.0.1',
          samplingRate: 0,
          clockOffsetMs: 4e6,
          lost: 3,
          records: 0,
          losses: { template_missing: 3, bad_length: 1, unknown_protocol: 1 },
          lastSeenMs: 0,
        }),
      ],
      {
        status: {
          ledger: {
            received: 1,
            stored: 3,
            waiting: 0,
            dropped: [{ reason: 'spool_full', exporter: 'x', records: 2 }],
            difference: -4,
          },
          store: { open: false, engine: 'remote', tables: [], lastError: 'boom' },
          spool: { waitingSegments: 9, waitingRows: 9, waitingBytes: 2 ** 30 },
        },
        details: {
          listeners: [{ ...LISTENER, grantedBytes: 1000, kernelDrops: 4 }],
          processes: [{ role: 'store', state: 'down', restarts: 3 }],
          refused: { not_allowed: 1, new_source_rate: 2 },
          notAllowed: ['198.51.100.1'],
          disk: { directory: '/', freeBytes: 1, totalBytes: 2 },
        },
      },
    ),
    facts([], { collector: null, refusal: { kind: 'unreachable', message: 'ECONNREFUSED' } }),
  ];
  const seen = new Set<string>();
  for (const given of broken)
    for (const { status, message, mend, check } of diagnose(given)) {
      if (status !== 'ok') seen.add(check);
      expect(message).not.toMatch(/\.$|undefined|NaN/);
      if (status !== 'ok') expect([check, mend]).toEqual([check, expect.stringMatching(/^[A-Z][a-z]+ .*[^.]$/)]);
    }
  const quiet = CHECKS.map(({ id }) => id).filter((id) => !seen.has(id));
  // These have tests of their own.
  expect(quiet).toEqual(['config', 'ports', 'firewall', 'sampling']);
});

test('all exporters behind one gateway of a container network', () => {
  for (const address of ['172.17.0.1', '172.31.255.1', '192.168.65.1', '10.9.8.1'])
    expect([address, of('nat', facts([exporter({ address })]))]).toMatchObject([
      address,
      [{ status: 'warn', mend: expect.stringContaining('--network host') as string }],
    ]);
  expect(of('nat', facts([exporter({ address: '172.17.0.2' })]))).toMatchObject([{ status: 'ok' }]);
  expect(of('nat', facts([exporter({ address: '172.17.0.1' }), exporter()]))).toMatchObject([{ status: 'ok' }]);
  // sFlow says itself who exports.
  expect(of('nat', facts([exporter({ address: '172.17.0.1' }), exporter({ protocols: ['SFLOW_5'] })]))).toMatchObject([
    { status: 'warn' },
  ]);
});

test('clocks: several exporters that agree with each other are right', () => {
  const off = (address: string, clockOffsetMs: number): ExporterInfo => exporter({ address, clockOffsetMs });
  expect(of('clock', facts([off('192.0.2.1', 3_600_000), off('192.0.2.2', 3_601_000)]))).toMatchObject([
    { message: expect.stringContaining("the collector's is probably wrong") as string },
  ]);
  expect(of('clock', facts([off('192.0.2.1', -60_000), off('192.0.2.2', 10)]))).toMatchObject([
    { status: 'warn', message: 'Clocks are off: 192.0.2.1 1m ahead; beyond 10m the arrival time is used instead' },
  ]);
});

test('firewall: closed without a rule for the port, unless something gets through', () => {
  const closed = { state: 'closed', tool: 'nft', accepted: [[22, 22]], dropped: [] } as const;
  expect(of('firewall', facts([], { host: { firewall: closed } }))).toMatchObject([
    { status: 'warn', message: 'The firewall (nft) drops what no rule accepts, and none names UDP 2055' },
  ]);
  expect(of('firewall', facts([], { host: { firewall: { ...closed, accepted: [[2000, 3000]] } } }))).toMatchObject([
    { status: 'ok' },
  ]);
  expect(of('firewall', facts([exporter()], { host: { firewall: closed } }))).toMatchObject([{ status: 'ok' }]);
  expect(of('firewall', facts([exporter({ address: '127.0.0.1' })], { host: { firewall: closed } }))).toMatchObject([
    { status: 'warn' },
  ]);
  expect(
    of(
      'firewall',
      facts([], { host: { firewall: { state: 'open', tool: 'nft', accepted: [], dropped: [[2055, 2055]] } } }),
    ),
  ).toMatchObject([{ status: 'warn' }]);
  expect(of('firewall', facts([], { host: null }))).toEqual([]);
});

test('receive buffer and kernel drops', () => {
  expect(
    of('receive-buffer', facts([exporter()], { details: { listeners: [{ ...LISTENER, grantedBytes: 212_992 }] } })),
  ).toMatchObject([
    {
      status: 'warn',
      message: 'The kernel gave 208 KiB of 32 MiB: bursts may be lost',
      mend: expect.stringContaining('net.core.rmem_max=33554432') as string,
    },
  ]);
  expect(of('receive-buffer', facts([], { collector: null }))).toMatchObject([{ status: 'warn' }]);
  expect(
    of('kernel-drops', facts([exporter()], { details: { listeners: [{ ...LISTENER, kernelDrops: 1234 }] } })),
  ).toMatchObject([{ status: 'warn', message: expect.stringContaining('1,234 datagrams') as string }]);
});

test('a socket that the collector has and this machine has not: the doctor is in the wrong namespace', () => {
  expect(of('ports', facts([exporter()], { host: { openUdpPorts: [] } }))).toMatchObject([
    { status: 'fail', mend: expect.stringContaining('network namespace') as string },
  ]);
});

test('some silent exporters are a warning, all of them a failure', () => {
  const silent = exporter({ address: '192.0.2.9', name: 'edge9', lastSeenMs: NOW - 600_000 });
  expect(of('exporters', facts([exporter(), silent]))).toMatchObject([
    { status: 'warn', message: '1 of 2 exporters is silent: edge9 (192.0.2.9) for 10m' },
  ]);
  expect(of('exporters', facts([silent]))).toMatchObject([{ status: 'fail' }]);
});
