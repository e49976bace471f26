import { createSocket } from 'node:dgram';
import { createFolder, startCollector, until, type RunningCollector } from '../collector/src/cli/testing/collector.ts';
import { data, v9, v9Template, type FieldSpec } from '../collector/src/wire/testing/netflow-packets.ts';
import { u16, u32 } from '../collector/src/wire/testing/packets.ts';
import { documentedBlocks } from './testing/documented.ts';

const blocks = documentedBlocks('docs/how-to/enrichment.md');

interface Flow {
  readonly src: string;
  readonly dst: string;
  readonly ports: readonly [src: number, dst: number];
  readonly bytes: number;
  readonly flags?: number;
  readonly dstAs?: number;
  readonly application?: readonly number[];
  readonly egress?: boolean;
}

const FIELDS: readonly FieldSpec[] = [
  [8, 4],
  [12, 4],
  [7, 2],
  [11, 2],
  [4, 1],
  [6, 1],
  [1, 4],
  [2, 4],
  [10, 2],
  [14, 2],
  [61, 1],
  [17, 4],
  [95, 4],
];

const address = (text: string): number[] => text.split('.').map(Number);

function encode(flow: Flow): number[] {
  return [
    ...address(flow.src),
    ...address(flow.dst),
    ...flow.ports.flatMap(u16),
    6,
    flow.flags ?? 0,
    ...u32(flow.bytes),
    ...u32(1),
    ...u16(1),
    ...u16(2),
    flow.egress ? 1 : 0,
    ...u32(flow.dstAs ?? 0),
    ...(flow.application ?? [0, 0, 0, 0]),
  ];
}

/** One datagram from an address of the loopback network. */
async function send(port: number, from: string, flows: readonly Flow[]): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, from, resolve));
  const datagram = v9([v9Template(256, FIELDS), data(256, ...flows.map(encode))], {
    seconds: Math.floor(Date.now() / 1000),
  });
  await new Promise<void>((resolve, reject) =>
    socket.send(datagram, port, '127.0.0.1', (error) => (error ? reject(error) : resolve())),
  );
  socket.close();
}

let folder: ReturnType<typeof createFolder> | undefined;
let collector: RunningCollector | undefined;
async function start(block: string): Promise<RunningCollector> {
  folder = createFolder(blocks.get(block));
  return (collector = await startCollector(folder.path));
}
afterEach(async () => {
  collector?.kill('SIGTERM');
  await collector?.exited;
  folder?.remove();
});

/** Rows of a query, ordered by their first field, once there are as many as expected. */
async function rowsOf(running: RunningCollector, query: object, count: number): Promise<unknown[][]> {
  return until(
    async () => {
      const { frames, error } = await running.query(query);
      if (error) throw new Error(JSON.stringify(error));
      const values = frames[0]?.data.values as unknown[][] | undefined;
      if (!values?.[0] || values[0].length < count) return undefined;
      return values[0].map((_, row) => values.map((column) => column[row])).sort((a, b) => Number(a[0]) - Number(b[0]));
    },
    60_000,
    () => `${count} rows:\n${running.output()}`,
  );
}

test('client, server and application as the page says', async () => {
  const running = await start('applications');
  const client = '10.0.0.1';
  await send(running.udpPort, '127.0.0.1', [
    { src: '203.0.113.1', dst: client, ports: [40_000, 45_000], bytes: 1 },
    { src: client, dst: '203.0.113.1', ports: [45_000, 40_000], bytes: 2, flags: 2 },
    { src: '192.0.2.10', dst: client, ports: [18_443, 443], bytes: 3 },
    { src: client, dst: '203.0.113.1', ports: [443, 40_100], bytes: 4 },
    { src: '198.51.100.3', dst: client, ports: [443, 50_000], bytes: 5 },
    { src: client, dst: '203.0.113.9', ports: [50_000, 80], bytes: 6, dstAs: 64_497 },
    { src: client, dst: '203.0.113.9', ports: [50_001, 80], bytes: 7, application: [13, 0, 1, 0xc5] },
    { src: client, dst: '203.0.113.9', ports: [50_002, 443], bytes: 8 },
  ]);
  const columns = ['bytes', 'client_addr', 'server_port', 'role_rule', 'app', 'app_rule', 'app_class'];
  const expected = [
    [1, client, 40_000, 'opposite_record', 'TCP/40000', 'port', ''],
    [2, client, 40_000, 'tcp_flags', 'TCP/40000', 'port', ''],
    [3, client, 18_443, 'endpoint', 'Payroll', 'endpoint', 'other'],
    [4, client, 40_100, 'known_port', 'TCP/40100', 'port_table', ''],
    [5, client, 443, 'known_port', 'Film', 'prefix', 'video'],
    [6, client, 80, 'known_port', 'Cloud', 'prefix', 'other'],
    [7, client, 80, 'known_port', '13:453', 'application_id', 'other'],
    [8, client, 443, 'known_port', 'https (TCP/443)', 'port_table', 'web'],
  ];
  let last: unknown;
  // Names follow their first record within a second.
  await until(
    async () => {
      const rows = await rowsOf(running, { kind: 'records', columns, limit: 100 }, expected.length);
      last = rows.map(([bytes, who, port, role, app, name, rule, ofClass]) => [
        bytes,
        who,
        port,
        role,
        name || app,
        rule,
        ofClass,
      ]);
      return JSON.stringify(last) === JSON.stringify(expected);
    },
    20_000,
    () => JSON.stringify(last),
  );
  expect(last).toEqual(expected);
}, 120_000);

test('one flow by three exporters, both ways, ingress and egress, counts once; each exporter has its own sum', async () => {
  const running = await start('duplicates');
  const request = { src: '10.0.0.1', dst: '203.0.113.1', ports: [50_000, 443], bytes: 1000 } as const;
  const answer = { src: '203.0.113.1', dst: '10.0.0.1', ports: [443, 50_000], bytes: 50_000 } as const;
  const exporters = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
  for (const exporter of exporters)
    await send(running.udpPort, exporter, [request, answer, { ...request, egress: true }, { ...answer, egress: true }]);
  const rows = await rowsOf(running, { kind: 'records', columns: ['bytes', 'dup', 'sampler_address'], limit: 100 }, 12);
  expect(rows.filter(([, dup]) => dup === '' || dup === 0 || dup === null).map(([bytes]) => bytes)).toEqual([
    1000, 50_000,
  ]);
  expect(rows.filter(([, dup]) => dup === 'egress')).toHaveLength(6);
  expect(rows.filter(([, dup]) => dup === 'other_exporter')).toHaveLength(4);
  for (const exporter of exporters)
    expect(rows.reduce((sum, [bytes, , by]) => (by === exporter ? sum + Number(bytes) : sum), 0)).toBe(102_000);
  const metrics = await until(
    async () => {
      const text = await running.metrics();
      return text.includes('ringflow_duplicate_records_total{reason="egress"} 6') && text;
    },
    10_000,
    'copies are counted',
  );
  expect(metrics).toContain('ringflow_duplicate_records_total{reason="other_exporter"} 4');
  for (const exporter of exporters)
    expect(metrics).toContain(`ringflow_sampling_unknown_records_total{exporter="${exporter}"} 4`);
}, 120_000);
