import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExportersResponse } from '@ringflow/contract';
import {
  createFolder,
  runCommand,
  startCollector,
  until,
  type RunningCollector,
} from '../collector/src/cli/testing/collector.ts';
import { createSender, freeUdpPort } from '../collector/src/cli/testing/sender.ts';
import { describeWith, startProgram, type RunningProgram } from './testing/programs.ts';

const COMMUNITY = 'looking-glass-7';

describeWith(['snmpd'], 'names of exporters and interfaces', () => {
  let folder: ReturnType<typeof createFolder>;
  let agent: RunningProgram;
  let collector: RunningCollector;

  beforeAll(async () => {
    const port = await freeUdpPort();
    folder = createFolder(
      [
        `snmp: {enabled: true, interval_seconds: 10, credentials: [{networks: [127.0.0.0/8], port: ${port}, community: ${COMMUNITY}}]}`,
        'names:',
        '  file: names.yml',
        '  file_interval_seconds: 1',
        '  classify:',
        '    exporters: [{match: {name: "^edge(\\\\d)"}, set: {role: edge, site: "dc$1"}}]',
        '    interfaces: [{match: {name: "^lo$", exporter_site: "^dc1$"}, set: {boundary: internal}}]',
        '',
      ].join('\n'),
    );
    writeFileSync(
      join(folder.path, 'snmpd.conf'),
      `agentaddress udp:127.0.0.1:${port}\nrocommunity ${COMMUNITY} 127.0.0.1\nsysName edge1.example.net\n`,
    );
    writeFileSync(join(folder.path, 'names.yml'), 'interfaces: {127.0.0.1: {1: from the file, 99: {name: spare}}}\n');
    agent = startProgram(
      'snmpd',
      ['-f', '-C', '-c', 'snmpd.conf', '-Lf', 'snmpd.log', '-p', join(folder.path, 'snmpd.pid')],
      folder.path,
      120_000,
    );
    collector = await startCollector(folder.path);
    const sender = createSender(collector.udpPort);
    await sender.send(1);
    sender.close();
    await until(
      async () => (await interfaceOf(1))?.name === 'lo',
      30_000,
      () => collector.output(),
    );
  }, 60_000);
  afterAll(async () => {
    collector?.kill('SIGTERM');
    await collector?.exited;
    agent?.kill('SIGKILL');
    folder?.remove();
  });

  async function exporters(): Promise<ExportersResponse['exporters']> {
    return ((await (await fetch(`${collector.url}/api/v1/exporters`)).json()) as ExportersResponse).exporters;
  }
  const interfaceOf = async (index: number) => (await exporters())[0]?.interfaces.find((one) => one.index === index);

  test('what the exporter answers wins over the file, and rules follow from it', async () => {
    expect((await exporters())[0]).toMatchObject({
      name: 'edge1.example.net',
      nameSource: 'snmp',
      attributes: { role: 'edge', site: 'dc1' },
    });
    expect(await interfaceOf(1)).toMatchObject({
      name: 'lo',
      source: 'snmp',
      speedBps: 10_000_000,
      attributes: { boundary: 'internal' },
    });
    expect(await interfaceOf(99)).toMatchObject({ name: 'spare', source: 'file' });
    expect(await collector.metrics()).toContain(
      'ringflow_interface_speed_bytes_per_second{exporter="127.0.0.1",interface="1"} 1250000',
    );
  });

  test('filters and groups use them, for records of before, too', async () => {
    await until(async () => (await collector.status()).ledger.stored > 0, 20_000, 'stored records');
    const answer = await collector.query({ kind: 'table', groupBy: ['exporter_site'], filter: 'exporter_role = edge' });
    expect(answer.frames[0]?.data.values[0]).toEqual(['dc1']);
  });

  test('a changed file is taken over, a broken one is told and changes nothing', async () => {
    const path = join(folder.path, 'names.yml');
    writeFileSync(path, 'interfaces: {127.0.0.1: {99: {name: renamed, provider: acme}}}\n');
    await until(async () => (await interfaceOf(99))?.name === 'renamed', 10_000, 'the new name');
    expect(await interfaceOf(99)).toMatchObject({ attributes: { provider: 'acme' } });
    writeFileSync(path, 'interfaces: {127.0.0.1: {uplink: x}}\n');
    await until(
      async () => collector.output().includes('uplink is not an ifIndex'),
      10_000,
      () => collector.output(),
    );
    expect(await interfaceOf(99)).toMatchObject({ name: 'renamed' });
  });

  test('a dry run says which rule fired, with the rules of another file', async () => {
    writeFileSync(
      join(folder.path, 'try.yml'),
      'names: {classify: {interfaces: [{match: {name: "^spare|renamed"}, set: {connectivity: none}}]}}\n',
    );
    const { code, stdout } = await runCommand(
      ['classify', '--config', 'try.yml', '--url', collector.url, '--index', '99'],
      folder.path,
    );
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^127\.0\.0\.1 99 renamed\n\s+connectivity\s+none\s+names\.classify\.interfaces\[0\]\n$/),
    ]);
  });

  test('no community is printed anywhere', async () => {
    const { stdout } = await runCommand(['check'], folder.path);
    expect(stdout).toContain('community: "***"');
    expect(stdout + collector.output()).not.toContain(COMMUNITY);
  });

  // Last: it ends the agent.
  test('an exporter that does not answer keeps its names', async () => {
    agent.kill('SIGKILL');
    await until(
      async () => collector.output().includes('exporter does not answer by SNMP'),
      60_000,
      () => collector.output(),
    );
    expect(await interfaceOf(1)).toMatchObject({ name: 'lo', source: 'snmp' });
  }, 70_000);
});
