/** The query editor in a real Grafana, used as people use it: every kind built by mouse, some by keyboard, and filters. */
import type { Locator, Page } from 'playwright-core';
import type { FlowQuery, FlowQueryInput, QueryResult } from '@ringflow/contract';
import type { GrafanaPage } from './testing/browser.ts';
import { column, type TimeWindow } from './testing/data-source.ts';
import type { MadeUpFlow } from './testing/flows.ts';
import { describeWithGrafana } from './testing/grafana.ts';
import { useStage } from './testing/stage.ts';

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
  /** Opens the list that has the focus and goes to an option by keyboard: Enter takes it. */
  highlight(option: string): Promise<void>;
  /** Adds a field to a list of several by mouse. */
  addField(name: string, field: string): Promise<void>;
  type(name: string, text: string): Promise<void>;
  /** Does something; the first answer to the query that fits. */
  answerTo(fits: Partial<FlowQuery>, act: () => Promise<unknown>): Promise<Answer>;
  readonly sentence: Locator;
}

describeWithGrafana('the query editor in Grafana', () => {
  const stage = useStage('Flows of the editor', flows);

  /** Explore with one query. */
  async function explore(query: FlowQueryInput = {}): Promise<Editor> {
    const opened = await stage.browser.newPage();
    const pane = {
      a: {
        datasource: stage.source.uid,
        queries: [{ refId: 'A', datasource: stage.source.ref, ...query }],
        range: { from: String(window.fromMs), to: String(window.toMs) },
      },
    };
    await opened.open(`/explore?schemaVersion=1&orgId=1&panes=${encodeURIComponent(JSON.stringify(pane))}`);
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
      expect(ratesOf(result)).toMatchObject({ '198.51.100.2': 200, '198.51.100.3': 30 });
      expect(ratesOf(result)).not.toHaveProperty(['198.51.100.1']);
      await page
        .getByText(/198\.51\.100\.2\b.*203\.0\.113\.10/)
        .first()
        .waitFor();
      expect(await sentence.textContent()).toBe('Top 2 packets/s by source address × destination address over time');
      await picture('editor-timeseries');
    });

    test('table', async () => {
      const { choose, addField, type, answerTo, page, picture } = await explore({ kind: 'stat' });
      await choose('Show', 'Table');
      await addField('Group by', 'Destination address');
      await choose('Count', 'Packets');
      const { asked, result } = await answerTo({ limit: 1, metric: 'packets' }, () => type('Top', '1'));
      expect(asked).toMatchObject({ kind: 'table', groupBy: ['app', 'dst_addr'], measure: 'total' });
      expect(column(result, 'packets')).toEqual([30_000, 7000]);
      expect(column(result, 'dst_addr')).toEqual(['203.0.113.10', '']);
      await page.getByRole('gridcell', { name: '203.0.113.10' }).or(page.getByText('203.0.113.10')).first().waitFor();
      await picture('editor-table');
    });

    test('flow graph', async () => {
      const { choose, type, answerTo, page, picture } = await explore({ kind: 'stat' });
      await choose('Show', 'Flow graph');
      await choose('Perspective', 'Source → destination');
      await choose('Count', 'Packets');
      const { asked, result } = await answerTo({ limit: 3, metric: 'packets' }, () => type('Top', '3'));
      expect(asked).toMatchObject({ kind: 'graph', groupBy: ['src_addr', 'dst_addr'] });
      expect(column(result, 'source')).toHaveLength(3);
      await page.getByText('198.51.100.3').first().waitFor();
      await picture('editor-graph');
    });

    test('map', async () => {
      const { choose, type, answerTo, sentence, picture } = await explore({ kind: 'stat' });
      await choose('Show', 'Map');
      await choose('Perspective', 'Source → destination');
      await choose('Count', 'Packets');
      const { asked, result } = await answerTo({ limit: 5, metric: 'packets' }, () => type('Top', '5'));
      expect(asked).toMatchObject({ kind: 'geo', groupBy: ['src_country', 'dst_country'] });
      expect(result.error).toBeUndefined();
      // Nothing knows the countries of these addresses: the frames of a map, with what has no place.
      expect(result.frames.length).toBeGreaterThan(0);
      expect(await sentence.textContent()).toBe('Map of packets from source country to destination country');
      await picture('editor-map');
    });

    test('records', async () => {
      const { choose, type, answerTo, page, picture } = await explore({ kind: 'stat' });
      await choose('Show', 'Records');
      const { asked, result } = await answerTo({ kind: 'records', limit: 4 }, () => type('Records', '4'));
      expect(asked).toMatchObject({ kind: 'records', groupBy: [] });
      expect(column(result, 'src_addr')).toHaveLength(4);
      await page.getByText('203.0.113.11').first().waitFor();
      await picture('editor-records');
    });

    test('total', async () => {
      const { choose, addField, answerTo, page, picture } = await explore({ groupBy: ['src_addr'] });
      await choose('Show', 'Total');
      await choose('Count', 'Packets');
      const { asked, result } = await answerTo({ unique: ['src_addr'] }, () =>
        addField('Count different', 'Source address'),
      );
      expect(asked).toMatchObject({ kind: 'stat', metric: 'packets', groupBy: [] });
      expect([column(result, 'packets'), column(result, 'unique_src_addr')]).toEqual([[37_000], [3]]);
      await page
        .getByText(/^37(\.0)? ?K$|37,000|37000/)
        .first()
        .waitFor();
      await picture('editor-total');
    });

    test('heatmap', async () => {
      const { choose, answerTo, sentence, picture } = await explore({ kind: 'stat' });
      await choose('Show', 'Heatmap');
      await choose('Count', 'Flows');
      const { asked, result } = await answerTo({ groupBy: ['bytes'] }, () => choose('Spread of', 'Bytes'));
      expect(asked).toMatchObject({ kind: 'heatmap', metric: 'flows' });
      expect(result.frames[0]?.schema.meta.type).toBe('heatmap-rows');
      expect(await sentence.textContent()).toBe('Heatmap of flows/s by bytes');
      await picture('editor-heatmap');
    });
  });

  test.each([
    ['Table', 'table', 'total'],
    ['Flow graph', 'graph', 'total'],
  ])('by keyboard only: %s', async (label, kind, measure) => {
    const { control, page, highlight, answerTo, picture } = await explore({ groupBy: ['src_addr', 'dst_addr'] });
    await control('Show').focus();
    await highlight(label);
    await answerTo({ kind: kind as never }, () => page.keyboard.press('Enter'));
    await tabTo(page, control('Count'));
    await highlight('Packets');
    await answerTo({ metric: 'packets' }, () => page.keyboard.press('Enter'));
    await tabTo(page, control('Top'));
    await page.keyboard.press('Control+A');
    await page.keyboard.type('1');
    const { asked, result } = await answerTo({ limit: 1 }, () => page.keyboard.press('Tab'));
    expect(asked).toMatchObject({ kind, measure, metric: 'packets', groupBy: ['src_addr', 'dst_addr'] });
    expect(JSON.stringify(result.frames)).toContain('198.51.100.2');
    expect(JSON.stringify(result.frames)).not.toContain('198.51.100.1"');
    await picture(`editor-keyboard-${kind}`);
  });

  describe('filters', () => {
    test('a mistake is marked where it is, and what to do is said', async () => {
      const { page, picture } = await filterText({ kind: 'table', groupBy: ['src_addr'] });
      await page.keyboard.type('dst_prt = 443');
      await page.locator('.squiggly-error').first().waitFor();
      await page
        .getByRole('status')
        .filter({ hasText: /dst_prt.*\(character 1\)/ })
        .waitFor();
      await picture('editor-filter-mistake');
      await page.keyboard.press('Control+A');
      await page.keyboard.type('dst_port = 443');
      await page.getByRole('status').filter({ hasText: 'Ctrl+Enter runs' }).waitFor();
      await page.locator('.squiggly-error').first().waitFor({ state: 'detached' });
    });

    test('fields are completed, and the filter runs with Ctrl+Enter', async () => {
      const { page, answerTo, picture } = await filterText({ kind: 'table', groupBy: ['src_addr'] });
      await page.keyboard.type('dst_po');
      const suggestion = page.locator('.suggest-widget .monaco-list-row').filter({ hasText: 'dst_port' }).first();
      await suggestion.waitFor();
      await picture('editor-filter-suggestions');
      await suggestion.click();
      await page.keyboard.type('= 22');
      await page.keyboard.press('Escape');
      const { result } = await answerTo({ filter: 'dst_port = 22' }, () => page.keyboard.press('Control+Enter'));
      expect(column(result, 'src_addr')).toEqual(['198.51.100.3']);
    });

    test('a row of the builder makes the same text', async () => {
      const { page, choose, addField, answerTo, control, picture } = await explore({
        kind: 'table',
        groupBy: ['src_addr'],
      });
      await page.getByRole('button', { name: 'Add condition' }).click();
      await control('Field 1').fill('Destination port');
      await optionOf(page, 'Destination port').click();
      await choose('Operator 1', 'is not');
      const { asked, result } = await answerTo({ filter: 'dst_port != 443' }, () => addField('Values 1', '443'));
      expect(asked.filter).toBe('dst_port != 443');
      expect(column(result, 'src_addr')).toEqual(['198.51.100.3', '198.51.100.2']);
      await picture('editor-filter-builder');
      await page.getByRole('radio', { name: 'Text' }).check();
      await page
        .locator('.view-lines')
        .filter({ hasText: /dst_port\s!=\s443/ })
        .waitFor();
    });

    async function filterText(query: FlowQueryInput): Promise<Editor> {
      const editor = await explore(query);
      const { page } = editor;
      await page.getByRole('radio', { name: 'Text' }).check();
      await page.locator('.monaco-editor .view-lines').first().click();
      return editor;
    }
  });

  test('comparing and mirroring add lines to the answer', async () => {
    const { page, choose, control, answerTo, sentence, picture } = await explore({ kind: 'timeseries' });
    await page.getByText('Options', { exact: true }).first().click();
    const compared = await answerTo({ compare: '1h' }, () => choose('Compare with', '1 hour before'));
    expect(valuesOf(compared.result)).toEqual([1_776_000, 888_000]);
    const mirrored = await answerTo({ mirror: true, compare: '1h' }, () =>
      page.locator('label[for$="-mirror"]').last().click(),
    );
    expect(mirrored.result.frames.length).toBeGreaterThanOrEqual(compared.result.frames.length);
    expect(valuesOf(mirrored.result).length).toBeGreaterThan(2);
    expect(await sentence.textContent()).toBe('Bits/s over time, mirrored, against 1 hour before');
    await control('Show').waitFor();
    await picture('editor-compare-mirror');
  });

  test('an example of the cheat sheet becomes the query', async () => {
    const { page, answerTo, sentence, picture } = await explore({ kind: 'timeseries' });
    await page
      .getByRole('button', { name: /data source help/i })
      .first()
      .click();
    await page.getByRole('button', { name: /How many hosts were seen/ }).waitFor();
    await picture('editor-cheat-sheet');
    // Explore takes an example over and waits for its button.
    await page.getByRole('button', { name: /How many hosts were seen/ }).click();
    await sentence.filter({ hasText: 'distinct' }).waitFor();
    const { result } = await answerTo({ kind: 'stat' }, () =>
      page
        .getByRole('button', { name: /Run query/ })
        .first()
        .click(),
    );
    expect([column(result, 'unique_src_addr'), column(result, 'unique_dst_addr')]).toEqual([[3], [2]]);
    expect(await sentence.textContent()).toMatch(/distinct source address, destination address$/);
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
    highlight: async (option) => {
      await page.keyboard.press('ArrowDown');
      await page.keyboard.type(option);
      // The list follows the text a moment later; until then the option that was in force is highlighted, and Enter takes that.
      const wanted = page.getByText(option, { exact: true });
      const first = page.getByRole('option').first();
      await first.filter({ has: wanted }).waitFor();
      if ((await first.getAttribute('aria-selected')) !== 'true') await page.keyboard.press('ArrowDown');
      await page.getByRole('option', { selected: true }).filter({ has: wanted }).waitFor();
    },
    addField: async (name, field) => {
      await control(name).click();
      await control(name).fill(field);
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
    .filter({ has: page.getByText(label, { exact: true }), hasNotText: 'Use custom value' })
    .first();

function askedIn(body: string | null): Partial<FlowQuery> {
  const queries = body ? (JSON.parse(body) as { queries?: Partial<FlowQuery>[] }).queries : undefined;
  return queries?.[0] ?? {};
}

/** The highest value of each line, by its source address. */
function ratesOf({ frames }: QueryResult): Record<string, unknown> {
  return Object.fromEntries(
    (frames ?? []).flatMap(({ schema, data }) =>
      schema.fields.flatMap(({ labels }, index) => (labels ? [[labels['src_addr'], highest(data.values[index])]] : [])),
    ),
  );
}

/** The highest value of each line. */
const valuesOf = ({ frames }: QueryResult): unknown[] =>
  frames.flatMap(({ schema, data }) =>
    schema.fields.flatMap(({ type }, index) => (type === 'number' ? [highest(data.values[index])] : [])),
  );

/** Presses Tab until the control has the focus. */
async function tabTo(page: Page, wanted: Locator): Promise<void> {
  for (let pressed = 0; pressed < 20; pressed++) {
    if (await wanted.evaluate((element) => element === element.ownerDocument.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error('Tab does not reach it');
}

const highest = (values: readonly unknown[] = []): number => Math.round(Math.max(...values.map(Number)));
