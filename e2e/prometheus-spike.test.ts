/**
 * The spike rules in a real Prometheus that scrapes a real collector: they fire on a spike and resolve after it. The rules
 * are those that are shipped, with their windows shortened: minutes are seconds here.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFolder, until } from '../collector/src/cli/testing/collector.ts';
import { startFlowCollector, type FlowCollector } from './grafana/testing/flows.ts';
import { projectFile } from './testing/documented.ts';
import { describeWith } from './testing/programs.ts';
import { startPrometheus, type Prometheus } from './testing/prometheus.ts';

jest.setTimeout(180_000);

const [QUIET, LOUD] = ['192.0.2.1', '192.0.2.2'] as const;
/** Of the exporter that has a threshold of its own in bit/s; a spike is a hundred times as much. */
const THRESHOLD = 1_000_000;

interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

describeWith(['prometheus'], 'a spike', () => {
  let folder: ReturnType<typeof createFolder>;
  let collector: FlowCollector;
  let prometheus: Prometheus;
  let sending: NodeJS.Timeout | undefined;
  /** Bytes that the second exporter sends each second. */
  let loud = 10_000;

  beforeAll(async () => {
    collector = await startFlowCollector();
    folder = createFolder();
    mkdirSync(join(folder.path, 'rules'));
    const rules = projectFile('provisioning/prometheus/rules/ringflow.yml')
      .replaceAll('[5m]', '[5s]')
      .replaceAll('[1h]', '[30s]')
      .replaceAll(/^(\s+for: \d+)m$/gm, '$1s');
    expect(rules).not.toMatch(/\[5m\]|for: \d+m$/m);
    writeFileSync(join(folder.path, 'rules/ringflow.yml'), rules);
    writeFileSync(
      join(folder.path, 'rules/site-spike.yml'),
      `groups: [{name: site, rules: [{record: 'ringflow:exporter_threshold_bits', expr: vector(${THRESHOLD}), labels: {exporter: ${LOUD}}}]}]\n`,
    );
    prometheus = await startPrometheus({
      target: collector.url,
      folder: folder.path,
      timeoutMs: 170_000,
      rules: join(folder.path, 'rules'),
    });
    sending = setInterval(() => {
      const endMs = Date.now();
      const flow = { startMs: endMs - 1000, endMs, srcAddr: '198.51.100.1', dstAddr: '203.0.113.10', dstPort: 443 };
      const flows = [
        { ...flow, exporter: QUIET, bytes: 10_000, packets: 10 },
        { ...flow, exporter: LOUD, bytes: loud, packets: 10 },
      ];
      void collector.send(flows).catch(() => undefined);
    }, 1000);
  });
  afterAll(async () => {
    clearInterval(sending);
    await prometheus?.stop().catch(() => undefined);
    await collector?.stop();
    folder?.remove();
  });

  const ask = async <T>(path: string): Promise<T | undefined> => {
    const response = await fetch(`${prometheus.url}/api/v1/${path}`).catch(() => undefined);
    return response?.ok ? ((await response.json()) as { data: T }).data : undefined;
  };
  /** Alerts about traffic that fire, as `name exporter`. */
  const firing = async (): Promise<Alert[]> =>
    ((await ask<{ alerts: Alert[] }>('alerts'))?.alerts ?? []).filter(
      ({ labels, state }) => state === 'firing' && /Traffic|Spike/.test(labels['alertname'] ?? ''),
    );
  const names = (alerts: readonly Alert[]) =>
    alerts.map(({ labels }) => `${labels['alertname']} ${labels['exporter']}`).sort();

  test('makes the rules fire, against the threshold and against the median, and they resolve when it is over', async () => {
    // What is usual has to be known before anything can be unusual.
    const known = `count_over_time(ringflow:exporter_bits:rate5m{exporter="${LOUD}"}[30s]) > 10`;
    await until(
      async () =>
        ((await ask<{ result: unknown[] }>(`query?query=${encodeURIComponent(known)}`))?.result.length ?? 0) > 0,
      60_000,
      prometheus.output,
    );
    expect(names(await firing())).toEqual([]);

    loud = (THRESHOLD * 100) / 8;
    const expected = [
      `RingflowExporterSpikeMedian ${LOUD}`,
      `RingflowExporterTrafficHigh ${LOUD}`,
      `RingflowInterfaceSpikeMedian ${LOUD}`,
      `RingflowInterfaceSpikeMedian ${LOUD}`,
    ];
    let alerts: Alert[] = [];
    await until(
      async () => {
        alerts = await firing();
        return names(alerts).join() === expected.join();
      },
      45_000,
      () => `other alerts fire: ${names(alerts).join()}`,
    );
    const summary = alerts.find(({ labels }) => labels['alertname'] === 'RingflowExporterTrafficHigh')?.annotations[
      'summary'
    ];
    expect(summary).toMatch(new RegExp(`^Traffic over exporter ${LOUD} is [0-9.]+Mbit/s$`));

    loud = 10_000;
    await until(async () => (await firing()).length === 0, 45_000, 'they go on firing');
  });
});
