import { createSocket } from 'node:dgram';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createFolder,
  runCommand,
  startCollector,
  until,
  type RunningCollector,
} from '../collector/src/cli/testing/collector.ts';
import { documentedBlocks, projectFile } from './testing/documented.ts';
import { describeWith } from './testing/programs.ts';

const blocks = documentedBlocks('docs/how-to/enrichment.md');
const block = (name: string): string => {
  const text = blocks.get(name);
  if (text === undefined) throw new Error(`docs/how-to/enrichment.md has no block that says <!-- run: ${name} -->`);
  return text;
};

/** A NetFlow v5 datagram; each flow is source, destination, bytes. */
function netflow5(flows: readonly (readonly [string, string, number])[], sequence: number): Buffer {
  const nowMs = Date.now();
  const buffer = Buffer.alloc(24 + flows.length * 48);
  buffer.writeUInt16BE(5, 0);
  buffer.writeUInt16BE(flows.length, 2);
  buffer.writeUInt32BE(3_600_000, 4);
  buffer.writeUInt32BE(Math.floor(nowMs / 1000), 8);
  buffer.writeUInt32BE((nowMs % 1000) * 1_000_000, 12);
  buffer.writeUInt32BE(sequence, 16);
  flows.forEach(([src, dst, bytes], index) => {
    const at = 24 + index * 48;
    buffer.set(src.split('.').map(Number), at);
    buffer.set(dst.split('.').map(Number), at + 4);
    buffer.writeUInt32BE(1, at + 16);
    buffer.writeUInt32BE(bytes, at + 20);
    buffer.writeUInt32BE(3_599_000, at + 24);
    buffer.writeUInt32BE(3_599_500, at + 28);
    buffer.writeUInt16BE(40_000, at + 32);
    buffer.writeUInt16BE(443, at + 34);
    buffer[at + 38] = 6;
  });
  return buffer;
}

async function send(port: number, flows: readonly (readonly [string, string, number])[]): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) =>
    socket.send(netflow5(flows, 0), port, '127.0.0.1', (error) => (error ? reject(error) : resolve())),
  );
  socket.close();
}

const folders: ReturnType<typeof createFolder>[] = [];
let collector: RunningCollector | undefined;
const newFolder = (more: string): string => {
  const folder = createFolder(more);
  folders.push(folder);
  return folder.path;
};
afterEach(async () => {
  collector?.kill('SIGTERM');
  await collector?.exited;
  collector = undefined;
  for (const folder of folders.splice(0)) folder.remove();
});

/** Values of a query's fields by name, once as many records as were sent are stored. */
async function records(
  fields: readonly string[],
  count: number,
  filter = '',
  columns: readonly string[] = fields,
): Promise<unknown[][]> {
  const running = collector as RunningCollector;
  return until(
    async () => {
      const { frames, error } = await running.query({ kind: 'records', columns: [...columns], filter, limit: 100 });
      if (error) throw new Error(JSON.stringify(error));
      const [frame] = frames;
      if (!frame || (frame.data.values[0]?.length ?? 0) < count) return undefined;
      const rows = (frame.data.values[0] as unknown[]).map((_, row) =>
        fields.map(
          (name) => frame.data.values[frame.schema.fields.findIndex((field) => field.name === name)]?.[row] ?? '',
        ),
      );
      return rows.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
    },
    60_000,
    () => `${count} records are stored:\n${running.output()}`,
  );
}

test('every block that is marked is run by a test', () => {
  const tests = readdirSync(__dirname)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => projectFile(`e2e/${name}`))
    .filter((text) => text.includes('docs/how-to/enrichment.md'));
  expect([...blocks.keys()].filter((name) => !tests.join('').includes(`'${name}'`))).toEqual([]);
});

test('own networks: directions, on the page, on /metrics', async () => {
  const folder = newFolder(block('own'));
  collector = await startCollector(folder);
  await send(collector.udpPort, [
    ['203.0.113.9', '10.0.0.1', 100],
    ['198.51.100.9', '203.0.113.9', 20],
    ['10.0.0.1', '198.51.100.9', 3],
    ['203.0.113.9', '192.0.2.1', 4],
  ]);
  expect(await records(['bytes', 'direction', 'locality'], 4)).toEqual([
    [100, 'in', 'public'],
    [20, 'out', 'public'],
    [3, 'internal', 'public'],
    [4, 'transit', 'public'],
  ]);
  const metrics = await until(
    async () => {
      const text = await (collector as RunningCollector).metrics();
      return text.includes('ringflow_direction_bytes_total{direction="in"} 100') && text;
    },
    10_000,
    'directions are counted',
  );
  expect(metrics).toContain('ringflow_direction_records_total{direction="transit"} 1');
  expect(await (await fetch(collector.url)).text()).toContain('94.5 %');
}, 90_000);

test('named networks, configured and from the file', async () => {
  const folder = newFolder(block('networks'));
  writeFileSync(join(folder, 'networks.csv'), block('networks-file'));
  collector = await startCollector(folder);
  await send(collector.udpPort, [
    ['10.1.0.1', '10.2.7.1', 1],
    ['10.3.0.1', '203.0.113.1', 2],
  ]);
  const fields = ['bytes', 'src_network_name', 'dst_network_name'];
  const networks = (count: number, filter = '') =>
    records(fields, count, filter, ['bytes', 'src_network', 'dst_network']);
  const named = [
    [1, 'webservers,servers,campus', 'guests,offices,campus'],
    [2, 'campus', ''],
  ];
  // Names follow their first record within a second.
  await until(async () => JSON.stringify(await networks(2)) === JSON.stringify(named), 10_000, 'the names are known');
  expect(await networks(1, 'dst_network = guests')).toEqual([named[0]]);
  expect(await networks(1, 'src_network = campus and not src_network = servers')).toEqual([named[1]]);
  expect(await networks(1, 'src_network_site = "hall 1"')).toEqual([named[0]]);
}, 120_000);

test('the lists of the page are a configuration without problems', async () => {
  const { code, stdout, stderr } = await runCommand(['check'], newFolder(block('reputation')));
  expect([code, stderr]).toEqual([0, expect.stringContaining('no problems')]);
  expect(stdout).toContain('lists/feodo.csv');
});

describeWith(['openssl', 'bash'], 'docs/how-to/enrichment.md', () => {
  test('anonymization: what is stored, and nothing without the key', async () => {
    const folder = newFolder(block('anonymize'));
    const refused = await runCommand(['serve'], folder);
    expect(refused.code).not.toBe(0);
    expect(refused.stdout + refused.stderr).toContain('anonymize.key');
    execFileSync('bash', ['-ec', block('anonymize-key')], { cwd: folder });
    expect(statSync(join(folder, 'anonymize.key')).mode & 0o077).toBe(0);
    collector = await startCollector(folder);
    await send(collector.udpPort, [
      ['10.1.2.3', '203.0.113.77', 1],
      ['10.9.9.9', '10.9.9.8', 2],
    ]);
    const [kept, hidden] = (await records(['bytes', 'src_addr', 'dst_addr', 'direction'], 2)) as string[][];
    expect(kept).toEqual([1, '10.1.2.3', '203.0.113.0', 'out']);
    expect(hidden?.slice(1, 3)).not.toContain('10.9.9.9');
    // Neighbours stay neighbours: 31 bits in common.
    const [src, dst] = (hidden?.slice(1, 3) ?? []).map((text) =>
      text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0),
    ) as [number, number];
    expect(Math.abs(src - dst)).toBe(1);
    expect(Math.floor(src / 2)).toBe(Math.floor(dst / 2));
    expect(hidden?.[3]).toBe('internal');
    const key = readFileSync(join(folder, 'anonymize.key'), 'utf8').trim();
    expect(collector.output()).not.toContain(key);
  }, 120_000);
});
