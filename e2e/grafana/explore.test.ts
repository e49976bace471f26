/**
 * Explore in a real Grafana: records as rows and as log lines, how many there are, what is around one, the graph of who
 * talks to whom, records as they come, filters by a click; and answers that stay bounded whatever is asked for.
 */
import type { FlowQueryInput, QueryResult } from '@ringflow/contract';
import type { Locator, Page } from 'playwright-core';
import { until } from '../../collector/src/cli/testing/collector.ts';
import type { GrafanaPage } from './testing/browser.ts';
import { saveDashboard } from './testing/dashboard.ts';
import { column, type TimeWindow } from './testing/data-source.ts';
import type { MadeUpFlow } from './testing/flows.ts';
import { describeWithGrafana } from './testing/grafana.ts';
import { useStage } from './testing/stage.ts';

jest.setTimeout(180_000);

/** Five whole minutes before now. */
const MINUTE = 60_000;
const toMs = Math.floor(Date.now() / MINUTE) * MINUTE - 2 * MINUTE;
const window: TimeWindow = { fromMs: toMs - 5 * MINUTE, toMs };
const PAIRS = [
  { srcAddr: '198.51.100.1', dstAddr: '203.0.113.10', dstPort: 443, bytes: 6_000_000, packets: 5000 },
  { srcAddr: '198.51.100.2', dstAddr: '203.0.113.10', dstPort: 53, bytes: 60_000, packets: 600 },
  { srcAddr: '198.51.100.3', dstAddr: '203.0.113.11', dstPort: 22, bytes: 600_000, packets: 900 },
];
const at = (minute: number, second: number) => ({
  startMs: window.fromMs + minute * MINUTE + 10_000,
  endMs: window.fromMs + minute * MINUTE + second * 1000,
});
/** Besides the pairs in each minute: an answer of one host to another, and one of the two with somebody else. */
const REST = { bytes: 900, packets: 9 };
const flows: MadeUpFlow[] = [
  ...[0, 1, 2, 3, 4].flatMap((minute) => PAIRS.map((pair) => ({ ...pair, ...at(minute, 40) }))),
  { srcAddr: '203.0.113.10', dstAddr: '198.51.100.2', dstPort: 123, ...REST, ...at(1, 50) },
  { srcAddr: '198.51.100.2', dstAddr: '203.0.113.99', dstPort: 53, ...REST, ...at(1, 55) },
];

/** Another five minutes, with more groups and records than any answer holds; none twice, which would be left out. */
const MANY = 12_000;
const crowd: TimeWindow = { fromMs: window.fromMs - 30 * MINUTE, toMs: window.fromMs - 25 * MINUTE };
const crowded: MadeUpFlow[] = Array.from({ length: MANY }, (_, index) => ({
  startMs: crowd.fromMs + 60_000,
  endMs: crowd.fromMs + 120_000,
  srcAddr: `10.1.${Math.floor((index % 3000) / 250)}.${index % 250}`,
  dstAddr: '203.0.113.10',
  dstPort: 443,
  bytes: 1000 + Math.floor(index / 3000),
  packets: 1,
}));

describeWithGrafana('Explore', () => {
  const stage = useStage('Flows of Explore', flows);
  let shown: GrafanaPage;
  let page: Page;

  beforeEach(async () => {
    shown = await stage.browser.newPage();
    ({ page } = shown);
    page.setDefaultTimeout(30_000);
  });
  afterEach(async () => {
    const { errors } = shown;
    await page.close();
    expect(errors).toEqual([]);
  });

  const explore = (query: FlowQueryInput & { details?: boolean }, range?: { from: string; to: string }) => {
    const pane = {
      datasource: stage.source.uid,
      queries: [{ refId: 'A', datasource: stage.source.ref, ...query }],
      range: range ?? { from: String(window.fromMs), to: String(window.toMs) },
    };
    return shown.open(`/explore?schemaVersion=1&orgId=1&panes=${encodeURIComponent(JSON.stringify({ a: pane }))}`);
  };

  /** The filter of the query, as the address of the page keeps it. */
  const filter = (): string | undefined => {
    const panes = JSON.parse(new URL(page.url()).searchParams.get('panes') ?? '{}') as object;
    return (Object.values(panes)[0] as { queries: { filter?: string }[] } | undefined)?.queries[0]?.filter;
  };
  const becomes = (text: string) =>
    until(
      async () => filter() === text,
      20_000,
      () => `the filter is ${filter()}`,
    );
  const rows = () => page.getByTestId('data-testid table body');
  const lines = () => page.getByTestId('logRows');
  const gone = (locator: Locator) => locator.first().waitFor({ state: 'detached' });

  test('shows records as rows and as log lines, and how many there are in the whole range', async () => {
    await explore({ kind: 'records', format: 'both', details: true, limit: 4 });
    await rows().getByText('203.0.113.11', { exact: true }).first().waitFor();
    await lines()
      .getByText(/^TCP 198\.51\.100\.3:40000 → 203\.0\.113\.11:22 900 packets 600000 bytes/)
      .first()
      .waitFor();
    await expect(lines().getByText(/^TCP /).count()).resolves.toBe(4);
    // Four lines are of the last minutes; the volume counts the records of all of them.
    await page.getByText(`Total: ${flows.length}`, { exact: true }).first().waitFor();
    await shown.picture('explore-both');
  });

  test('a record opens and says what its columns do not', async () => {
    await explore({ kind: 'records', format: 'table', details: true, filter: 'dst_port = 443' });
    await rows().getByText('198.51.100.1', { exact: true }).first().waitFor();
    expect(await page.getByText('6 MB (6000000)').count()).toBe(0);
    await page.getByLabel('Expand row').first().click();
    for (const text of ['Flow type', 'NETFLOW_V9', '6 MB (6000000)']) await page.getByText(text).first().waitFor();
    await shown.picture('explore-record');
  });

  test('draws who talks to whom', async () => {
    await explore({ kind: 'graph', groupBy: ['src_addr', 'dst_addr'], filter: 'dst_port in (443, 22)' });
    for (const host of ['198.51.100.1', '198.51.100.3', '203.0.113.10', '203.0.113.11'])
      await page.locator('svg').getByText(host, { exact: true }).first().waitFor();
    // What one sends is what the other receives.
    for (const sum of ['30 MB', '3 MB'])
      await until(
        async () => (await page.locator('svg').getByText(sum, { exact: true }).count()) === 2,
        20_000,
        `there are not two nodes of ${sum}`,
      );
    expect(await page.locator('svg').getByText('198.51.100.2', { exact: true }).count()).toBe(0);
    await shown.picture('explore-graph');
  });

  test('the context of a log line is what its two hosts said to each other around it', async () => {
    await explore({ kind: 'records', format: 'logs', filter: 'dst_port = 53 and dst_addr = 203.0.113.10' });
    const line = lines().getByText('TCP 198.51.100.2:40000').nth(2);
    await line.hover();
    await page.getByRole('button', { name: 'Show context' }).first().click();
    const dialog = page.getByRole('dialog');
    // The filter of the query does not hold here.
    await dialog
      .getByText(/203\.0\.113\.10:40000 → 198\.51\.100\.2:123/)
      .first()
      .waitFor();
    await until(
      async () => (await dialog.getByText(/TCP 198\.51\.100\.2:40000 → 203\.0\.113\.10:53/).count()) === 5,
      20_000,
      'the records before and after the line are not all there',
    );
    await shown.picture('explore-context');
    const text = await dialog.innerText();
    expect(text).not.toContain('203.0.113.99');
    expect(text).not.toContain('198.51.100.1:');
  });

  test('live, it shows a record that is sent after it was started, if it matches', async () => {
    await explore({ kind: 'records', format: 'logs', filter: 'dst_port = 9999' }, { from: 'now-5m', to: 'now' });
    const asked = page.waitForResponse((response) => response.url().includes('/resources/tail'));
    await page.getByRole('button', { name: /^Live/ }).click();
    await asked;
    const sent = (srcAddr: string, dstPort: number): MadeUpFlow => ({
      startMs: Date.now() - 2000,
      endMs: Date.now() - 1000,
      srcAddr,
      dstAddr: '203.0.113.77',
      dstPort,
      ...REST,
    });
    await stage.collector.send([sent('198.51.100.78', 9998), sent('198.51.100.77', 9999)]);
    await page
      .getByText(/TCP 198\.51\.100\.77:40000 → 203\.0\.113\.77:9999/)
      .first()
      .waitFor();
    expect(await page.getByText(/198\.51\.100\.78/).count()).toBe(0);
    // Of the running stream, not of a query that ran again.
    await stage.collector.send([sent('198.51.100.79', 9999)]);
    await page
      .getByText(/TCP 198\.51\.100\.79:/)
      .first()
      .waitFor();
    await shown.picture('explore-live');
  });

  describe('by a click on a cell', () => {
    beforeEach(async () => {
      await explore({ kind: 'records', format: 'table', details: true, filter: 'bytes > 1000' });
      await rows().getByText('203.0.113.11', { exact: true }).first().hover();
    });

    test('its value is filtered for, and another takes its place', async () => {
      await page.getByRole('button', { name: 'Filter for value' }).first().click();
      await becomes('bytes > 1000 and dst_addr = "203.0.113.11"');
      await gone(rows().getByText('203.0.113.10', { exact: true }));
      await rows().getByText('203.0.113.11', { exact: true }).nth(4).waitFor();
      await shown.picture('explore-filter-for');
      await rows().getByText('203.0.113.11', { exact: true }).first().hover();
      await page.getByRole('button', { name: 'Filter out value' }).first().click();
      await becomes('bytes > 1000 and dst_addr != "203.0.113.11"');
    });

    test('its value is filtered out', async () => {
      await page.getByRole('button', { name: 'Filter out value' }).first().click();
      await becomes('bytes > 1000 and dst_addr != "203.0.113.11"');
      await gone(rows().getByText('203.0.113.11', { exact: true }));
      await rows().getByText('203.0.113.10', { exact: true }).nth(9).waitFor();
      await shown.picture('explore-filter-out');
    });
  });

  test('a value in the details of a log line is filtered for, and a second click takes that back', async () => {
    await explore({ kind: 'records', format: 'logs' });
    await lines().getByText('TCP 198.51.100.3:40000').first().click();
    const label = page.getByRole('row', { name: / dst_addr 203\.0\.113\.11$/ }).last();
    await label.getByRole('button', { name: 'Filter for value in query A' }).click();
    await becomes('dst_addr = "203.0.113.11"');
    await gone(lines().getByText('TCP 198.51.100.1:40000'));
    await shown.picture('explore-log-filter');
    await lines().getByText('TCP 198.51.100.3:40000').first().click();
    await label.getByRole('button', { name: 'Remove filter in query A' }).click();
    await becomes('');
    await lines().getByText('TCP 198.51.100.1:40000').first().waitFor();
  });

  describe('asked for more than it shows', () => {
    beforeAll(async () => {
      for (let from = 0; from < MANY; from += 3000) await stage.collector.send(crowded.slice(from, from + 3000));
    }, 120_000);

    /** Asks as a panel does; says how long that took and how large the answer is. */
    const ask = async (query: FlowQueryInput): Promise<QueryResult> => {
      const begin = Date.now();
      const { A } = await stage.source.ask([{ refId: 'A', ...query }], crowd);
      const bytes = JSON.stringify(A).length;
      process.stderr.write(`${query.kind}, limit ${query.limit}: ${Date.now() - begin} ms, ${bytes} characters\n`);
      if (!A || A.error) throw new Error(A?.error ?? 'no answer');
      return A;
    };
    const notices = ({ frames }: QueryResult) => frames.flatMap(({ schema }) => schema.meta.notices);

    test('a thousand series are 200 and the rest', async () => {
      const answer = await ask({ kind: 'timeseries', groupBy: ['src_addr'], limit: 1000 });
      const series = answer.frames.flatMap(({ schema }) => schema.fields.filter(({ type }) => type === 'number'));
      expect(series).toHaveLength(201);
      expect(series.filter(({ labels }) => labels?.['src_addr'] === 'other')).toHaveLength(1);
      expect(notices(answer)).toEqual([
        expect.objectContaining({
          severity: 'warning',
          text: expect.stringMatching(/^1000 were asked for.* at most 200/),
        }),
      ]);
    });

    test('a million records are 10,000, and how many there are', async () => {
      const answer = await ask({ kind: 'records', limit: 1_000_000, columns: ['src_addr', 'bytes'] });
      expect(column(answer, 'src_addr')).toHaveLength(10_000);
      expect(answer.frames[0]?.schema.meta.custom.total).toBe(MANY);
      expect(notices(answer).map(({ text }) => text)).toEqual([
        expect.stringMatching(/^1000000 were asked for.* at most 10000/),
        `Records 1 to 10000 of ${MANY}`,
      ]);
    });

    test('the panel shows the notice', async () => {
      const query: FlowQueryInput = { kind: 'timeseries', groupBy: ['src_addr'], limit: 1000 };
      const uid = await saveDashboard(
        stage.grafana,
        'Crowd',
        stage.source,
        [{ title: 'Crowd', type: 'timeseries', query }],
        crowd,
      );
      await shown.open(`/d/${uid}`);
      await page.getByText('10.1.0.0', { exact: true }).first().waitFor();
      await page.getByTestId('title-items-container').locator('svg').first().hover();
      await page
        .getByText(/1000 were asked for/)
        .first()
        .waitFor();
      await shown.picture('bounded');
    });
  });
});
