/** The query editor in a real Grafana, used as people use it: every kind built by mouse, some by keyboard, and filters. */
import type { Locator, Page } from 'playwright-core';
import type { FlowQuery, FlowQueryInput, QueryResult } from '@ringflow/contract';
import { startBrowser, type GrafanaBrowser, type GrafanaPage } from './testing/browser.ts';
import { addSource, column, type FlowSource, type TimeWindow } from './testing/data-source.ts';
import { startFlowCollector, TOKEN, type FlowCollector, type MadeUpFlow } from './testing/flows.ts';
import { describeWithGrafana, startGrafana, type Grafana } from './testing/grafana.ts';

jest.setTimeout(180_000);

/** Whole minutes before now; in each of the five a flow of each pair, and half of each an hour before. */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const toMs = Math.floor(Date.now() / MINUTE) * MINUTE - 2 * MINUTE;
const window: TimeWindow = { fromMs: toMs - 5 * MINUTE, toMs };
const PAIRS = [
  { srcAddr: '198.51.100.1', dstAddr: '203.0.113.10', dstPort: 443, bytes: 6_000_000, packets: 500 },
  { srcAddr: '198.51.100.2', dstAddr: '203.0.113.10', dstPort: 53, bytes: 60_000, packets: 6000 },
  { srcAddr: '198.51.100.3', dstAddr: '203.0.113.11', dstPort: 22, bytes: 600_000, packets: 900 },
];
const flows: MadeUpFlow[] = [0, 1, 2, 3, 4].flatMap((minute) =>
  PAIRS.flatMap((pair) =>
    [0, HOUR].map((before) => ({
      ...pair,
      bytes: before ? pair.bytes / 2 : pair.bytes,
      startMs: window.fromMs - before + minute * MINUTE + 10_000,
      endMs: window.fromMs - before + minute * MINUTE + 40_000,
    })),
  ),
);

/** What the editor asked, and the answer that Grafana's pages got. */
interface Answer {
  readonly asked: FlowQuery;
  readonly result: QueryResult;
}

interface Editor extends GrafanaPage {
  control(name: string): Locator;
  /** Chooses in a list by mouse. */
  choose(name: string, option: string): Promise<void>;
  /** Adds a field to a list of several by mouse. */
  addField(name: string, field: string): Promise<void>;
  type(name: string, text: string): Promise<void>;
  /** Does something; the first answer to the query that fits. */
  answerTo(fits: Partial<FlowQuery>, act: () => Promise<unknown>): Promise<Answer>;
  readonly sentence: Locator;
}

const DBG: { last?: GrafanaPage } = {}; // DBG
describeWithGrafana('the query editor in Grafana', () => {
  let grafana: Grafana;
  let collector: FlowCollector;
  let browser: GrafanaBrowser;
  let source: FlowSource;

  beforeAll(async () => {
    grafana = await startGrafana();
    collector = await startFlowCollector();
    browser = await startBrowser(grafana);
    source = await addSource(grafana, 'Flows of the editor', { url: collector.url, token: TOKEN });
    await collector.send(flows);
  });
  afterAll(async () => {
    await browser?.close();
    await source?.remove();
    await grafana?.stop();
    await collector?.stop();
  });

  afterEach(async () => {
    process.stderr.write(
      (await DBG.last?.page.locator('details').allTextContents())?.join('\n').slice(0, 1500) +
        '\n' +
        DBG.last?.errors.join('\n') +
        '\n',
    );
    await DBG.last?.picture('last-' + expect.getState().currentTestName?.replace(/\W+/g, '-'));
  }); // DBG
  /** Explore with one query. */
  async function explore(query: FlowQueryInput = {}): Promise<Editor> {
    const opened = await browser.newPage();
    const pane = {
      a: {
        datasource: source.uid,
        queries: [{ refId: 'A', datasource: source.ref, ...query }],
        range: { from: String(window.fromMs), to: String(window.toMs) },
      },
    };
    await opened.open(`/explore?schemaVersion=1&orgId=1&panes=${encodeURIComponent(JSON.stringify(pane))}`);
    opened.page.setDefaultTimeout(12_000); // DBG
    DBG.last = opened; // DBG
    const editor = editorOn(opened);
    await editor.sentence.waitFor();
    return editor;
  }

  describe('by mouse', () => {
    test('time series', async () => {
      const { choose, type, answerTo, page, sentence, picture } = await explore({ kind: 'stat' });
      await choose('Show', 'Time series');
      await choose('Perspective', 'Source → destination');
      await choose('Count', 'Packets');
      const { asked, result } = await answerTo({ limit: 2, metric: 'packets' }, () => type('Top', '2'));
      expect(asked).toMatchObject({ kind: 'timeseries', groupBy: ['src_addr', 'dst_addr'], measure: 'rate' });
      expect(ratesOf(result)).toEqual({ '198.51.100.2': 100, '198.51.100.3': 15, other: 500 / 60 });
      await page.getByText('198.51.100.2 → 203.0.113.10').first().waitFor();
      expect(await sentence.textContent()).toBe('Top 2 packets/s by source address × destination address over time');
      await picture('editor-timeseries');
    });
  });
});

function editorOn(opened: GrafanaPage): Editor {
  const { page } = opened;
  const control = (name: string) =>
    page
      .getByRole('combobox', { name, exact: true })
      .or(page.getByRole('textbox', { name, exact: true }))
      .first();
  return {
    ...opened,
    control,
    choose: async (name, option) => {
      await control(name).click();
      await optionOf(page, option).click();
    },
    addField: async (name, field) => {
      await control(name).click();
      await page.keyboard.type(field);
      await optionOf(page, field).click();
      await page.keyboard.press('Escape');
    },
    type: async (name, text) => {
      await control(name).fill(text);
      await page.keyboard.press('Enter');
    },
    answerTo: async (fits, act) => {
      const response = page.waitForResponse((answer) => {
        const asked = askedIn(answer.request().postData());
        return (
          answer.url().includes('/api/ds/query') &&
          Object.entries(fits).every(
            ([name, value]) => JSON.stringify(asked[name as keyof FlowQuery]) === JSON.stringify(value),
          )
        );
      });
      const [answer] = await Promise.all([response, act()]);
      const { results } = (await answer.json()) as { results: Record<string, QueryResult> };
      return { asked: askedIn(answer.request().postData()) as FlowQuery, result: results['A'] as QueryResult };
    },
    sentence: page.getByTestId('flow-sentence'),
  };
}

const optionOf = (page: Page, label: string): Locator =>
  page
    .getByRole('option')
    .filter({ has: page.getByText(label, { exact: true }) })
    .first();

function askedIn(body: string | null): Partial<FlowQuery> {
  const queries = body ? (JSON.parse(body) as { queries?: Partial<FlowQuery>[] }).queries : undefined;
  return queries?.[0] ?? {};
}

/** The first value of each line, by its source address. */
function ratesOf({ frames }: QueryResult): Record<string, unknown> {
  return Object.fromEntries(
    (frames ?? []).flatMap(({ schema, data }) =>
      schema.fields.flatMap(({ labels }, index) => (labels ? [[labels['src_addr'], data.values[index]?.[0]]] : [])),
    ),
  );
}
void column;
