/**
 * Variables, ad hoc filters and annotations of a dashboard in a real Grafana: what is chosen changes the numbers, and
 * every panel asks once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { until } from '../../collector/src/cli/testing/collector.ts';
import type { GrafanaPage } from './testing/browser.ts';
import { saveDashboard, type PanelOf } from './testing/dashboard.ts';
import type { TimeWindow } from './testing/data-source.ts';
import type { MadeUpFlow } from './testing/flows.ts';
import { describeWithGrafana } from './testing/grafana.ts';
import { useStage } from './testing/stage.ts';

jest.setTimeout(180_000);

/** A flow of each of these in each of five whole minutes: 38.3 MB of three exporters. */
const MINUTE = 60_000;
const toMs = Math.floor(Date.now() / MINUTE) * MINUTE - 2 * MINUTE;
const fromMs = toMs - 5 * MINUTE;
const [FIRST, SECOND, THIRD] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'] as const;
const PAIRS = [
  { exporter: FIRST, srcAddr: '198.51.100.1', dstAddr: '203.0.113.10', dstPort: 443, bytes: 6_000_000, packets: 5000 },
  { exporter: SECOND, srcAddr: '198.51.100.2', dstAddr: '203.0.113.10', dstPort: 53, bytes: 60_000, packets: 600 },
  { exporter: THIRD, srcAddr: '198.51.100.3', dstAddr: '203.0.113.11', dstPort: 22, bytes: 600_000, packets: 900 },
  { exporter: THIRD, srcAddr: '198.51.100.4', dstAddr: '203.0.113.12', dstPort: 443, bytes: 1_000_000, packets: 900 },
];
const flows: MadeUpFlow[] = [0, 1, 2, 3, 4].flatMap((minute) =>
  PAIRS.map((pair) => ({
    ...pair,
    startMs: fromMs + minute * MINUTE + 10_000,
    endMs: fromMs + minute * MINUTE + 40_000,
  })),
);

const ALL = { text: ['All'], value: ['$__all'] };
const filter = 'sampler_address in ($exporter) and dst_port in ($port)';
const PANELS: PanelOf[] = [
  { title: 'Sum', type: 'stat', query: { kind: 'stat', columns: ['bytes'], filter } },
  { title: 'Hosts', type: 'table', query: { kind: 'table', groupBy: ['src_addr', 'dst_addr'], filter } },
  { title: 'Rates', type: 'timeseries', query: { kind: 'timeseries', groupBy: ['src_addr'], filter } },
];

describeWithGrafana('a dashboard with variables', () => {
  const stage = useStage('Flows of the variables', flows);
  let uid: string;
  let shown: GrafanaPage;
  let page: Page;
  /** Filters that panels asked with, in the order in which they did. */
  let asked: string[] = [];

  beforeAll(async () => {
    // The events are of now.
    const window: TimeWindow = { fromMs, toMs: Date.now() + 5 * MINUTE };
    const variable = {
      type: 'query',
      multi: true,
      includeAll: true,
      datasource: stage.source.ref,
      refresh: 2,
      current: ALL,
    };
    uid = await saveDashboard(stage.grafana, 'Variables', stage.source, PANELS, window, {
      templating: {
        list: [
          { ...variable, name: 'exporter', label: 'Exporter', query: { refId: 'exporter', type: 'exporters' } },
          {
            ...variable,
            name: 'port',
            label: 'Port',
            query: { refId: 'port', type: 'values', field: 'dst_port', filter: 'sampler_address in ($exporter)' },
          },
          { type: 'adhoc', name: 'filters', label: 'Filters', datasource: stage.source.ref },
        ],
      },
      annotations: {
        list: [
          {
            name: 'Exporters',
            enable: true,
            iconColor: 'orange',
            datasource: stage.source.ref,
            target: { refId: 'Events', queryType: 'events', kinds: ['exporter_new'], exporters: ['$exporter'] },
          },
        ],
      },
    });
  });
  beforeEach(async () => {
    shown = await stage.browser.newPage();
    ({ page } = shown);
    page.setDefaultTimeout(30_000);
    asked = [];
    page.on('request', (request) => {
      if (!request.url().includes('/api/ds/query')) return;
      const { queries } = JSON.parse(request.postData() ?? '{}') as { queries: { filter: string }[] };
      asked.push(...queries.map((query) => query.filter));
    });
  });
  afterEach(async () => {
    const { errors } = shown;
    await page.close();
    expect(errors).toEqual([]);
  });

  const open = (search: Readonly<Record<string, string>> = {}) =>
    shown.open(`/d/${uid}?${new URLSearchParams(search).toString()}`);

  /** Waits until the panel "Sum" says this. */
  const sum = (text: string) => {
    const said = () =>
      page
        .getByTestId('data-testid Panel header Sum')
        .innerText({ timeout: 5000 })
        .catch(() => '');
    return until(
      async () => (await said()).replace(/\s/g, '').endsWith(`Sum${text}`),
      30_000,
      `the sum is not ${text}`,
    );
  };
  const hosts = () => page.getByTestId('data-testid Panel header Hosts');
  /** Hosts of the table, as they stand in it. */
  const sources = async () => [...new Set((await hosts().innerText()).match(/198\.51\.100\.\d+/g))].sort();

  /** Opens a variable's list, says what is in it, and takes some of that. */
  const choose = async (index: number, ...values: string[]): Promise<string[]> => {
    await page.getByTestId('data-testid template variable').nth(index).locator('input').first().click();
    await page.getByRole('option', { name: values[0] as string, exact: true }).waitFor();
    const offered = await page.getByRole('option').allInnerTexts();
    for (const value of values) await page.getByRole('option', { name: value, exact: true }).click();
    await page.keyboard.press('Escape');
    return offered;
  };

  test('what is chosen changes the numbers, and what the next variable offers', async () => {
    await open();
    await sum('38.3MB');
    await expect(choose(0, FIRST, SECOND)).resolves.toEqual(['All', FIRST, SECOND, THIRD]);
    await sum('30.3MB');
    await until(async () => (await sources()).join() === '198.51.100.1,198.51.100.2', 20_000, 'other hosts are shown');
    await shown.picture('variables-two');
    await choose(0, FIRST, SECOND, THIRD);
    await sum('8MB');
    // The ports of this exporter, that with the most traffic first.
    await expect(choose(1, '22')).resolves.toEqual(['All', '443', '22']);
    await sum('3MB');
    expect(asked.at(-1)).toBe(`sampler_address in (${THIRD}) and dst_port in (22)`);
    await shown.picture('variables-dependent');
    // A port that another exporter has not is not kept.
    await choose(0, THIRD, SECOND);
    await sum('300kB');
  });

  test('a panel asks once when the dashboard opens, is refreshed, or a variable changes', async () => {
    const once = async () => {
      // Whatever would ask again does so meanwhile.
      await sleep(2000);
      expect(asked).toHaveLength(PANELS.length);
      expect(new Set(asked).size).toBe(1);
      asked = [];
    };
    await open();
    await sum('38.3MB');
    await once();
    await page.getByTestId('data-testid RefreshPicker run button').click();
    await until(async () => asked.length > 0, 20_000, 'nothing was asked');
    await once();
    await choose(0, SECOND);
    await sum('300kB');
    await once();
  });

  test('an ad hoc filter for several values is chosen by hand, and taken back', async () => {
    await open();
    await sum('38.3MB');
    await page.getByPlaceholder('Filter by label values').click();
    await page.keyboard.type('Source addr');
    await page.getByRole('option', { name: 'Source address', exact: true }).click();
    await page.getByRole('option', { name: /One of/ }).click();
    await page.getByRole('option', { name: '198.51.100.1', exact: true }).click();
    await page.getByRole('option', { name: '198.51.100.3', exact: true }).click();
    await page.keyboard.press('Escape');
    await sum('33MB');
    expect(asked.at(-1)).toBe('src_addr in ("198.51.100.1", "198.51.100.3")');
    await until(async () => (await sources()).join() === '198.51.100.1,198.51.100.3', 20_000, 'other hosts are shown');
    await shown.picture('ad-hoc-several');
    await page
      .getByRole('button', { name: /Remove filter/ })
      .first()
      .click();
    await sum('38.3MB');
  });

  test('an ad hoc filter against several values leaves the others', async () => {
    await open({ 'var-filters': 'src_addr|!=__gfp__|198.51.100.1|198.51.100.3' });
    await sum('5.30MB');
    await until(async () => (await sources()).join() === '198.51.100.2,198.51.100.4', 20_000, 'other hosts are shown');
  });

  test('a cell\'s "filter for" and "filter out" add ad hoc filters', async () => {
    await open();
    await hosts().getByText('203.0.113.10', { exact: true }).first().hover();
    await page.getByRole('button', { name: 'Filter for value' }).first().click();
    await sum('30.3MB');
    expect(asked.at(-1)).toBe('dst_addr = "203.0.113.10"');
    expect(new URL(page.url()).searchParams.getAll('var-filters')).toEqual(['Destination address|=|203.0.113.10']);
    await hosts().getByText('198.51.100.1', { exact: true }).first().hover();
    await page.getByRole('button', { name: 'Filter out value' }).first().click();
    await sum('300kB');
    expect(asked.at(-1)).toBe('dst_addr = "203.0.113.10" and src_addr != "198.51.100.1"');
    await shown.picture('ad-hoc-cell');
  });

  test('events of the exporters that are chosen are drawn, and go when they are switched off', async () => {
    const markers = page.getByTestId('data-testid annotation-marker');
    const drawn = (count: number) =>
      until(async () => (await markers.count()) === count, 20_000, `there are not ${count} events`);
    await open({ 'var-exporter': THIRD });
    await sum('8MB');
    await drawn(1);
    const before = await page.getByRole('button', { name: /^(Edit|Delete)$/ }).count();
    await markers.first().hover();
    await page
      .getByText(/New exporter/)
      .first()
      .waitFor();
    await page.getByText(THIRD).first().waitFor();
    // Nobody can edit or delete what the collector has seen.
    expect(await page.getByRole('button', { name: /^(Edit|Delete)$/ }).count()).toBe(before);
    await shown.picture('events');
    await page.getByRole('switch').first().click({ force: true });
    await drawn(0);
    await open();
    await sum('38.3MB');
    await drawn(3);
  });
});
