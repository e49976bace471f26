/**
 * What Grafana asks by itself, without the front end of the plugin: alert rules, expressions and shared dashboards in a
 * real Grafana.
 */
import { until } from '../../collector/src/cli/testing/collector.ts';
import { saveDashboard } from './testing/dashboard.ts';
import { askGrafana, type TimeWindow } from './testing/data-source.ts';
import type { MadeUpFlow } from './testing/flows.ts';
import { describeWithGrafana } from './testing/grafana.ts';
import { useStage } from './testing/stage.ts';
import { startWebhook, type Webhook } from './testing/webhook.ts';

jest.setTimeout(300_000);

const MINUTE = 60_000;
const toMs = Math.floor(Date.now() / MINUTE) * MINUTE - 10 * MINUTE;
const window: TimeWindow = { fromMs: toMs - 5 * MINUTE, toMs };
const flows: MadeUpFlow[] = [0, 1, 2, 3, 4].flatMap((minute) =>
  [
    { srcAddr: '198.51.100.1', bytes: 600_000 * (minute + 1) },
    { srcAddr: '198.51.100.2', bytes: 60_000 },
  ].map((part) => ({
    ...part,
    startMs: window.fromMs + minute * MINUTE + 1000,
    endMs: window.fromMs + minute * MINUTE + 59_000,
    dstAddr: '203.0.113.10',
    dstPort: 443,
    packets: 100,
  })),
);

const EXPRESSION = { type: '__expr__', uid: '__expr__' };

describeWithGrafana('what Grafana asks by itself', () => {
  const stage = useStage('Flows of the alerts', flows);
  let hook: Webhook;

  beforeAll(async () => {
    hook = await startWebhook();
  });
  afterAll(() => hook?.close());

  /** Part of a rule. */
  const part = (refId: string, model: object, seconds = 0) => ({
    refId,
    datasourceUid: seconds > 0 ? stage.source.uid : EXPRESSION.uid,
    relativeTimeRange: { from: seconds, to: 0 },
    model: { refId, datasource: seconds > 0 ? stage.source.ref : EXPRESSION, ...model },
  });

  test('reduce and math give the right numbers', async () => {
    const { results } = await askGrafana(
      stage.grafana,
      [
        { refId: 'A', datasource: stage.source.ref, kind: 'timeseries', groupBy: ['src_addr'] },
        { refId: 'R', datasource: EXPRESSION, type: 'reduce', expression: 'A', reducer: 'mean' },
        { refId: 'M', datasource: EXPRESSION, type: 'math', expression: '$R / 1000 + 1' },
      ],
      window,
    );
    const numbers = (refId: string) =>
      Object.fromEntries(
        results[refId]?.frames.map(({ schema, data }) => [
          schema.fields[0]?.labels?.['src_addr'],
          data.values[0]?.[0],
        ]) ?? [],
      );
    expect(numbers('R')).toEqual({ '198.51.100.1': (1_800_000 * 8) / 60, '198.51.100.2': (60_000 * 8) / 60 });
    expect(numbers('M')).toEqual({ '198.51.100.1': 241, '198.51.100.2': 9 });
  });

  test('a table gives a rule one number per row, whatever the version of the query', async () => {
    const seconds = Math.ceil((Date.now() - window.fromMs) / 1000) + MINUTE / 1000;
    const evaluate = async (model: object) => {
      const { results } = await stage.grafana.api<Awaited<ReturnType<typeof askGrafana>>>('POST', '/api/v1/eval', {
        now: new Date().toISOString(),
        condition: 'T',
        data: [
          part('A', model, seconds),
          part('T', {
            type: 'threshold',
            expression: 'A',
            conditions: [{ evaluator: { type: 'gt', params: [1_000_000] } }],
          }),
        ],
      });
      return Object.fromEntries(
        results['T']?.frames.map(({ schema, data }) => [schema.fields[0]?.labels?.['src_addr'], data.values[0]?.[0]]) ??
          [],
      );
    };
    const expected = { '198.51.100.1': 1, '198.51.100.2': 0 };
    await expect(evaluate({ kind: 'table', groupBy: ['src_addr'], version: 1 })).resolves.toEqual(expected);
    await expect(evaluate({ queryType: 'table', groupBy: ['src_addr'], version: 0 })).resolves.toEqual(expected);
  });

  test('nothing that matches is no data, not an error', async () => {
    for (const kind of ['timeseries', 'table']) {
      const { results } = await askGrafana(
        stage.grafana,
        [
          { refId: 'A', datasource: stage.source.ref, kind, groupBy: ['src_addr'], filter: 'dst_port = 1' },
          { refId: 'R', datasource: EXPRESSION, type: 'reduce', expression: 'A', reducer: 'last' },
        ],
        window,
      );
      expect([kind, results['R']?.error, results['R']?.status]).toEqual([kind, undefined, 200]);
    }
  });

  test('a shared dashboard shows its panels to somebody who is not signed in', async () => {
    const uid = await saveDashboard(
      stage.grafana,
      'Shared',
      stage.source,
      [
        { title: 'Sum', type: 'stat', query: { kind: 'stat', columns: ['bytes'] } },
        { title: 'Hosts', type: 'table', query: { kind: 'table', groupBy: ['src_addr'] } },
      ],
      window,
    );
    const { accessToken } = await stage.grafana.api<{ accessToken: string }>(
      'POST',
      `/api/dashboards/uid/${uid}/public-dashboards`,
      {
        isEnabled: true,
        share: 'public',
      },
    );
    const { page, open, picture } = await stage.browser.newPage('nobody');
    await open(`/public-dashboards/${accessToken}`);
    await page.getByText('9.30 MB').first().waitFor();
    await page.getByText('198.51.100.2').first().waitFor();
    await picture('shared-dashboard');
  });

  test('a rule fires on a spike and resolves, with the labels of the flows in the notification', async () => {
    const { notifications } = hook;
    const { uid: folderUID } = await stage.grafana.api<{ uid: string }>('POST', '/api/folders', {
      title: 'Flow alerts',
    });
    await stage.grafana.api('POST', '/api/v1/provisioning/contact-points', {
      name: 'hook',
      type: 'webhook',
      settings: { url: hook.url },
    });
    await stage.grafana.api('PUT', '/api/v1/provisioning/policies', {
      receiver: 'hook',
      group_by: ['alertname'],
      group_wait: '0s',
      group_interval: '1s',
      repeat_interval: '1h',
    });
    const rule = await stage.grafana.api<{ uid: string }>('POST', '/api/v1/provisioning/alert-rules', {
      title: 'A host sends a lot',
      orgID: 1,
      folderUID,
      ruleGroup: 'flows',
      for: '0s',
      condition: 'C',
      noDataState: 'OK',
      execErrState: 'Error',
      labels: { team: 'network' },
      annotations: { summary: '{{ $labels.src_addr }} sends {{ humanize $values.B.Value }}b/s' },
      data: [
        part(
          'A',
          {
            kind: 'timeseries',
            groupBy: ['src_addr'],
            filter: 'dst_port = 8080',
            resolution: 'raw',
            intervalMs: 10_000,
            maxDataPoints: 100,
          },
          60,
        ),
        part('B', { type: 'reduce', expression: 'A', reducer: 'max', settings: { mode: 'dropNN' } }),
        part('C', {
          type: 'threshold',
          expression: 'B',
          conditions: [{ evaluator: { type: 'gt', params: [10_000_000] } }],
        }),
      ],
    });
    await stage.grafana.api('PUT', `/api/v1/provisioning/folder/${folderUID}/rule-groups/flows`, {
      title: 'flows',
      folderUid: folderUID,
      interval: 10,
      rules: [await stage.grafana.api('GET', `/api/v1/provisioning/alert-rules/${rule.uid}`)],
    });

    const background = (bytes: number): MadeUpFlow[] =>
      ['198.51.100.7', '198.51.100.8'].map((srcAddr, index) => ({
        startMs: Date.now() - 5000,
        endMs: Date.now() - 1000,
        srcAddr,
        dstAddr: '203.0.113.10',
        dstPort: 8080,
        bytes: index === 0 ? bytes : 1000,
        packets: 10,
      }));
    await stage.collector.send(background(1_000_000_000));
    // Both hosts go on sending a little, so that the rule resolves because the spike is over.
    const trickle = setInterval(() => void stage.collector.send(background(1000)).catch(() => undefined), 5000);
    try {
      const firing = await until(
        async () => notifications.find(({ status }) => status === 'firing'),
        90_000,
        () => `no alert fired: ${JSON.stringify(notifications)}`,
      );
      expect(firing.alerts).toHaveLength(1);
      expect(firing.alerts[0]?.labels).toEqual(
        expect.objectContaining({ alertname: 'A host sends a lot', src_addr: '198.51.100.7', team: 'network' }),
      );
      expect(firing.alerts[0]?.annotations['summary']).toMatch(/^198\.51\.100\.7 sends [0-9.]+Mb\/s$/);
      const resolved = await until(
        async () => notifications.find(({ status }) => status === 'resolved'),
        150_000,
        () => `the alert did not resolve: ${JSON.stringify(notifications)}`,
      );
      expect(resolved.alerts.map(({ labels }) => labels['src_addr'])).toEqual(['198.51.100.7']);
    } finally {
      clearInterval(trickle);
    }
  });
});
