import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { createFolder, startCollector, until, type RunningCollector } from '../collector/src/cli/testing/collector.ts';
import { METRICS } from '../collector/src/metrics/index.ts';
import { documentedBlocks, projectFile, ROOT } from './testing/documented.ts';
import { describeWith } from './testing/programs.ts';
import { startPrometheus, type Prometheus } from './testing/prometheus.ts';

interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  labels?: Record<string, string>;
}

const FOLDER = join(ROOT, 'provisioning/prometheus');
const TESTS = ['rules/ringflow.test.yml', 'rules/ringflow-week.test.yml'];
const rules = (
  parse(projectFile('provisioning/prometheus/rules/ringflow.yml')) as { groups: { rules: Rule[] }[] }
).groups.flatMap((group) => group.rules);
const alerts = rules.flatMap(({ alert }) => alert ?? []);

describe('alert rules', () => {
  test('ask only for series that exist, by labels that they have', () => {
    const labelsOf = new Map<string, readonly string[]>(METRICS.map(({ name, labels }) => [name, labels]));
    const wrong = rules.flatMap(({ alert, record, expr }) =>
      [...expr.matchAll(/\b(ringflow_[a-z0-9_]+)(?:\{([^}]*)\})?/g)].flatMap(([, name = '', matchers = '']) => {
        const labels = labelsOf.get(name);
        if (!labels) return [`${alert ?? record}: ${name}`];
        return [...matchers.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)]
          .flatMap(([, label = '']) => label)
          .filter((label) => !labels.includes(label))
          .map((label) => `${alert ?? record}: ${name}{${label}}`);
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('each has a severity, a case that fires, and a row in the documentation', () => {
    const cases = TESTS.map((path) => readFileSync(join(FOLDER, path), 'utf8')).join('');
    const firing = new Set(
      [...cases.matchAll(/eval_time: \w+\n\s+alertname: (\w+)\n\s+exp_alerts:\n/g)].map(([, name]) => name),
    );
    const page = projectFile('docs/operations.md').replace(
      /`Ringflow\{([^}]*)\}(\w+)`/g,
      (_, kinds: string, rest: string) =>
        kinds
          .split(',')
          .map((kind) => `\`Ringflow${kind}${rest}\``)
          .join(' '),
    );
    expect(alerts.filter((name) => !firing.has(name))).toEqual([]);
    expect(alerts.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
    for (const { alert, labels } of rules)
      if (alert) expect(['critical', 'warning', 'info']).toContain(labels?.['severity']);
  });
});

describeWith(['promtool'], 'promtool', () => {
  test('accepts configuration and rules, and every case passes', () => {
    const { status, stdout, stderr } = spawnSync(
      'bash',
      ['-ec', documentedBlocks('docs/operations.md').get('promtool') ?? 'false'],
      {
        cwd: ROOT,
        encoding: 'utf8',
      },
    );
    expect(`${stdout}${stderr}`).not.toMatch(/FAILED|error|warn/i);
    expect(status).toBe(0);
  }, 180_000);

  test('thresholds of a site, as documented, take the place of the defaults', () => {
    const folder = createFolder();
    try {
      cpSync(join(FOLDER, 'rules/ringflow.yml'), join(folder.path, 'ringflow.yml'));
      writeFileSync(join(folder.path, 'site.yml'), documentedBlocks('docs/operations.md').get('site-rules') ?? '');
      // 30 Mbit/s each: below all defaults. 300 Mbit/s of guests and 50 of the interface are above theirs.
      writeFileSync(
        join(folder.path, 'test.yml'),
        `rule_files: [ringflow.yml, site.yml]
evaluation_interval: 1m
# Rates before what compares them; promtool takes groups in a random order otherwise.
group_eval_order: [ringflow-rates, ringflow-thresholds, site-thresholds, ringflow-spikes-static]
tests:
  - interval: 1m
    input_series:
      - { series: 'ringflow_watch_bytes_total{watch="guests"}', values: '0+2250000000x30' }
      - { series: 'ringflow_watch_bytes_total{watch="dns"}', values: '0+2250000000x30' }
      - { series: 'ringflow_interface_bytes_total{exporter="192.0.2.1",interface="3",direction="in"}', values: '0+375000000x30' }
      - { series: 'ringflow_interface_bytes_total{exporter="192.0.2.1",interface="4",direction="in"}', values: '0+375000000x30' }
    promql_expr_test:
      - expr: count by (alertname, watch, exporter, interface) (ALERTS{alertstate="firing"})
        eval_time: 20m
        exp_samples:
          - { labels: '{alertname="RingflowInterfaceTrafficHigh",exporter="192.0.2.1",interface="3"}', value: 1 }
          - { labels: '{alertname="RingflowWatchTrafficHigh",watch="guests"}', value: 1 }
`,
      );
      const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'test.yml'], {
        cwd: folder.path,
        encoding: 'utf8',
      });
      expect(`${stdout}${stderr}`).toContain('SUCCESS');
      expect(status).toBe(0);
    } finally {
      folder.remove();
    }
  });
});

describeWith(['prometheus', 'promtool'], 'a real Prometheus', () => {
  let folder: ReturnType<typeof createFolder>;
  let collector: RunningCollector;
  let prometheus: Prometheus;

  interface Target {
    readonly health: string;
    readonly lastError: string;
  }
  interface EvaluatedRule {
    readonly name: string;
    readonly health: string;
    readonly lastError?: string;
    readonly state?: string;
  }
  const ask = async <T>(path: string): Promise<T> =>
    ((await (await fetch(`${prometheus.url}/api/v1/${path}`)).json()) as { data: T }).data;
  const value = async (expr: string): Promise<number> => {
    const { result } = await ask<{ result: { value: [number, string] }[] }>(`query?query=${encodeURIComponent(expr)}`);
    return Number(result[0]?.value[1] ?? NaN);
  };

  beforeAll(async () => {
    folder = createFolder('demo: {history_hours: 1, history_days: 0}\nmetrics: {watches: {dns: "port = 53"}}\n');
    collector = await startCollector(folder.path, 'demo');
    prometheus = await startPrometheus({ target: collector.url, folder: folder.path, timeoutMs: 150_000 });
    const ready = `${prometheus.url}/-/ready`;
    await until(async () => (await fetch(ready).catch(() => undefined))?.ok, 30_000, prometheus.output);
  }, 90_000);
  afterAll(async () => {
    await prometheus?.stop().catch(() => undefined);
    collector?.kill('SIGTERM');
    await collector?.exited;
    folder?.remove();
  });

  test('promtool check metrics has nothing to say', async () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: await collector.metrics(),
      encoding: 'utf8',
    });
    expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: '' });
  });

  test('scrapes the demo, keeps every series, and evaluates every rule', async () => {
    await until(async () => (await value('up{job="ringflow"}')) === 1, 30_000, prometheus.output);
    const { activeTargets } = await ask<{ activeTargets: Target[] }>('targets');
    expect(activeTargets.map(({ health, lastError }) => ({ health, lastError }))).toEqual([
      { health: 'up', lastError: '' },
    ]);
    // A recording rule has a value: the demo's four exporters.
    await until(async () => (await value('count(ringflow:exporter_bits:rate5m > 0)')) >= 4, 45_000, prometheus.output);
    expect(await value('ringflow_ledger_difference_records')).toBe(0);
    const samples = (await collector.metrics())
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#')).length;
    expect(await value('scrape_samples_scraped')).toBeGreaterThan(samples * 0.9);

    const groups = await until(
      async () => {
        const { groups } = await ask<{ groups: { rules: EvaluatedRule[] }[] }>('rules');
        return groups.flatMap((group) => group.rules).every(({ health }) => health !== 'unknown') && groups;
      },
      30_000,
      'all rules were evaluated',
    );
    const evaluated = groups.flatMap((group) => group.rules);
    expect(evaluated.map(({ name }) => name).sort()).toEqual(rules.map(({ alert, record }) => alert ?? record).sort());
    expect(evaluated.filter(({ health }) => health !== 'ok')).toEqual([]);
    expect(evaluated.filter(({ state }) => state === 'firing').map(({ name }) => name)).toEqual([]);
    // What it could not parse, or took twice, it would have said.
    expect(
      prometheus
        .output()
        .split('\n')
        .filter((line) => /level=(warn|error)/i.test(line)),
    ).toEqual([]);
  }, 120_000);
});
