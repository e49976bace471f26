/**
 * The rules and the message of `provisioning/alerting` in a real Grafana: a spike makes them fire, and the links in the
 * message open the dashboard and the records of that time.
 */
import { parse } from 'yaml';
import { until } from '../../collector/src/cli/testing/collector.ts';
import { generate } from '../../dashboards/src/generate.ts';
import { projectFile } from '../testing/documented.ts';
import type { MadeUpFlow } from './testing/flows.ts';
import { describeWithGrafana } from './testing/grafana.ts';
import { useStage } from './testing/stage.ts';
import { startWebhook, type Notification, type Webhook } from './testing/webhook.ts';

jest.setTimeout(300_000);

const MINUTE = 60_000;
const WEEK = 7 * 24 * 60 * MINUTE;
const [EXPORTER, CLIENT, SERVER, OTHER] = ['192.0.2.1', '198.51.100.7', '203.0.113.10', '198.51.100.8'] as const;
const nowMs = Date.now();
const pair = { exporter: EXPORTER, srcAddr: OTHER, dstAddr: SERVER, dstPort: 443, packets: 100 };
/** 100 kbit/s a week ago, around the ten minutes that rules compare with; half an hour ago as much. */
const usual: MadeUpFlow[] = [WEEK, 30 * MINUTE].flatMap((ago) =>
  Array.from({ length: 25 }, (_, minute) => ({
    ...pair,
    bytes: 750_000,
    startMs: nowMs - ago + (minute - 15) * MINUTE,
    endMs: nowMs - ago + (minute - 15) * MINUTE + 59_000,
  })),
);
/** A gigabyte now. */
const spike: MadeUpFlow = {
  ...pair,
  srcAddr: CLIENT,
  bytes: 1_000_000_000,
  packets: 700_000,
  startMs: nowMs - 30_000,
  endMs: nowMs - 2000,
};

interface RuleFile {
  readonly groups: readonly {
    readonly name: string;
    readonly rules: readonly { readonly title: string; readonly data: readonly { readonly datasourceUid: string }[] }[];
  }[];
}
interface NotifyFile {
  readonly contactPoints: readonly {
    readonly receivers: readonly { readonly type: string; readonly settings: object }[];
  }[];
  readonly policies: readonly object[];
  readonly templates: readonly { readonly name: string; readonly template: string }[];
}
const yaml = <T>(name: string) => parse(projectFile(`provisioning/alerting/${name}.yml`)) as T;

describeWithGrafana('the message of an alert', () => {
  const stage = useStage('Flows of the messages', [...usual, spike]);
  let hook: Webhook;

  beforeAll(async () => {
    hook = await startWebhook();
    const { grafana, source } = stage;
    for (const content of generate().values())
      await grafana.api('POST', '/api/dashboards/db', { dashboard: JSON.parse(content), overwrite: true });
    const { contactPoints, policies, templates } = yaml<NotifyFile>('notify');
    for (const { name, template } of templates)
      await grafana.api('PUT', `/api/v1/provisioning/templates/${name}`, { template });
    for (const { type, settings } of contactPoints.flatMap(({ receivers }) => receivers))
      await grafana.api('POST', '/api/v1/provisioning/contact-points', {
        name: 'ringflow',
        type,
        settings: { ...settings, url: hook.url },
      });
    await grafana.api('PUT', '/api/v1/provisioning/policies', { ...policies[0], group_wait: '1s' });
    // The rules as they are, asked oftener: a minute is long for a test.
    const { uid: folderUID } = await grafana.api<{ uid: string }>('POST', '/api/folders', { title: 'Ringflow' });
    const { groups } = yaml<RuleFile>('rules');
    const { name, rules } = groups.find((group) => group.name === 'ringflow-traffic') as RuleFile['groups'][number];
    await grafana.api('PUT', `/api/v1/provisioning/folder/${folderUID}/rule-groups/${name}`, {
      title: name,
      folderUid: folderUID,
      interval: 10,
      rules: rules.map((rule) => ({
        ...rule,
        orgID: 1,
        folderUID,
        ruleGroup: name,
        for: '10s',
        data: rule.data.map((part) => ({
          ...part,
          datasourceUid: part.datasourceUid === 'ringflow' ? source.uid : part.datasourceUid,
        })),
      })),
    });
  });
  afterAll(() => hook?.close());

  /** What was sent of a rule when it fired. */
  const fired = (rule: string): Promise<Notification> =>
    until(
      async () =>
        hook.notifications.find(({ status, alerts }) => status === 'firing' && alerts[0]?.labels['alertname'] === rule),
      120_000,
      () => `${rule} did not fire: ${JSON.stringify(hook.notifications)}`,
    );

  /** Opens a link of a message; the time range of its address, and what the panel of this title says. */
  async function opened(
    link: string,
    board: string,
    panel: string,
  ): Promise<{ fromMs: number; toMs: number; text: string }> {
    const { page, picture, errors } = await stage.browser.newPage();
    await page.setViewportSize({ width: 1600, height: 2000 });
    await page.goto(link);
    const table = page.getByTestId(`data-testid Panel header ${panel}`).filter({ has: page.getByRole('grid') });
    await table
      .getByText(CLIENT)
      .first()
      .waitFor()
      .finally(() => picture(`alert-${board}`));
    const { pathname, searchParams } = new URL(page.url());
    expect(pathname).toMatch(new RegExp(`^/d/${board}/`));
    const [fromMs, toMs] = ['from', 'to'].map((name) => {
      const text = searchParams.get(name) as string;
      return /^\d+$/.test(text) ? Number(text) : Date.parse(text);
    }) as [number, number];
    const text = await table.innerText();
    expect(errors).toEqual([]);
    await page.context().close();
    return { fromMs, toMs, text };
  }

  const linksOf = ({ message }: Notification) => message.match(/https?:\S+/g) ?? [];

  test('of a spike on an exporter leads to its conversations, and to the records of that time', async () => {
    const notification = await fired('Traffic spike on an exporter, against last week');
    expect(notification.message).toContain(
      `Traffic over exporter ${EXPORTER} is more than three times what it was a week ago`,
    );
    const [conversations, records, ...more] = linksOf(notification) as [string, string];
    expect(more).toEqual([]);
    expect((await opened(conversations, 'ringflow-top-conversations', 'Top conversations')).text).toMatch(/1 GB/);

    const { fromMs, toMs, text } = await opened(records, 'ringflow-records-src-dst', 'Flow records');
    expect(new URL(records).searchParams.getAll('var-filters')).toEqual([`sampler_address|=|${EXPORTER}`]);
    expect(toMs - fromMs).toBe(30 * MINUTE);
    expect(fromMs).toBeLessThan(spike.startMs);
    expect(toMs).toBeGreaterThan(spike.endMs);
    // The spike, and nothing of what was long before it.
    expect(text).toMatch(/1 GB/);
    expect(text).not.toContain(OTHER);
  });

  test('of a rule on Prometheus sets the exporter that it names', async () => {
    const [{ name, template }] = yaml<NotifyFile>('notify').templates as [NotifyFile['templates'][number]];
    const { results } = await stage.grafana.api<{ results: readonly { name: string; text: string }[] }>(
      'POST',
      '/api/alertmanager/grafana/config/api/v1/templates/test',
      {
        name,
        template,
        alerts: [
          {
            labels: { alertname: 'Exporter silent', exporter: EXPORTER },
            annotations: { summary: 'Silent', dashboard: 'ringflow-health' },
            startsAt: '2026-01-02T03:30:00Z',
            generatorURL: 'http://grafana.example/alerting/grafana/x/view',
          },
        ],
      },
    );
    const search = `from=${Date.UTC(2026, 0, 2, 3, 15)}&to=${Date.UTC(2026, 0, 2, 3, 45)}&var-exporter=${EXPORTER}`;
    expect(results.find((one) => one.name === 'ringflow.message')?.text.match(/https?:\S+/g)).toEqual([
      `http://grafana.example/d/ringflow-health?${search}`,
      `http://grafana.example/d/ringflow-records-src-dst?${search}`,
    ]);
  });

  test('of a host that leads goes straight to its records', async () => {
    const notification = await fired('One host leads the top-N');
    expect(notification.alerts.map(({ labels }) => labels['client_addr'])).toEqual([CLIENT]);
    const [records, ...more] = linksOf(notification) as [string];
    expect(more).toEqual([]);
    const { text } = await opened(records, 'ringflow-records-client-server', 'Flow records');
    expect(text).toContain(CLIENT);
    expect(text).not.toContain(OTHER);
  });
});
