/**
 * From the first look to a single record in a real Grafana, as people click: a talker, its conversations, their records,
 * one of them opened, the names of its addresses; and back. Time range, filters and variables go along everywhere.
 */
import type { Page } from 'playwright-core';
import { until } from '../../collector/src/cli/testing/collector.ts';
import { startNameServer, type TestNameServer } from '../../collector/src/resolve/testing/name-server.ts';
import { BOARDS } from '../../dashboards/src/boards.ts';
import { generate } from '../../dashboards/src/generate.ts';
import type { GrafanaPage } from './testing/browser.ts';
import type { TimeWindow } from './testing/data-source.ts';
import { startFlowCollector, TOKEN, type MadeUpFlow } from './testing/flows.ts';
import { describeWithGrafana } from './testing/grafana.ts';
import { useStageWith } from './testing/stage.ts';

jest.setTimeout(300_000);

/** A flow of each of these in each of five whole minutes, over two exporters. */
const MINUTE = 60_000;
const toMs = Math.floor(Date.now() / MINUTE) * MINUTE - 2 * MINUTE;
const window: TimeWindow = { fromMs: toMs - 5 * MINUTE, toMs };
const [FIRST, SECOND] = ['192.0.2.1', '192.0.2.2'] as const;
const [TALKER, OTHER] = ['198.51.100.1', '198.51.100.2'] as const;
const [WEB, MAIL] = ['203.0.113.5', '203.0.113.25'] as const;
/** Of the web server; nobody else has a name. */
const NAME = 'cdn.example.com';
const PAIRS = [
  { exporter: FIRST, srcAddr: TALKER, dstAddr: WEB, dstPort: 443, bytes: 6_000_000, packets: 5000 },
  { exporter: FIRST, srcAddr: TALKER, dstAddr: MAIL, dstPort: 25, bytes: 600_000, packets: 900 },
  { exporter: FIRST, srcAddr: OTHER, dstAddr: WEB, dstPort: 443, bytes: 60_000, packets: 600 },
  // What exporter and filter leave out.
  { exporter: SECOND, srcAddr: TALKER, dstAddr: '203.0.113.77', dstPort: 443, bytes: 9_000_000, packets: 900 },
  { exporter: FIRST, srcAddr: TALKER, dstAddr: '203.0.113.88', dstPort: 22, bytes: 9_000_000, packets: 900 },
];
const flows: MadeUpFlow[] = [0, 1, 2, 3, 4].flatMap((minute) =>
  PAIRS.map((pair) => ({
    ...pair,
    startMs: window.fromMs + minute * MINUTE + 10_000,
    endMs: window.fromMs + minute * MINUTE + 40_000,
  })),
);

/** What the reader has set before the first click. */
const CHOSEN = {
  from: new Date(window.fromMs).toISOString(),
  to: new Date(window.toMs).toISOString(),
  'var-exporter': FIRST,
  'var-filter': 'not dst_port = 22',
} as const;

describeWithGrafana('the way from a talker to a record', () => {
  let names: TestNameServer;
  const stage = useStageWith(
    'Flows of the clicks',
    async () => {
      names = await startNameServer(({ name }) =>
        name === '5.113.0.203.in-addr.arpa' ? [{ type: 'PTR', name, data: NAME }] : 'nxdomain',
      );
      return startFlowCollector(`resolve: {servers: ["${names.address}"]}\n`);
    },
    TOKEN,
  );
  let shown: GrafanaPage;
  let page: Page;

  beforeAll(async () => {
    await stage.collector.send(flows);
    for (const content of generate().values())
      await stage.grafana.api('POST', '/api/dashboards/db', { dashboard: JSON.parse(content), overwrite: true });
  });
  afterAll(() => names?.close());
  beforeEach(async () => {
    shown = await stage.browser.newPage();
    ({ page } = shown);
    page.setDefaultTimeout(30_000);
    // As high as the highest dashboard: panels out of view ask nothing.
    await page.setViewportSize({ width: 1600, height: 2600 });
  });
  afterEach(async () => {
    const { errors } = shown;
    await page.close();
    expect(errors).toEqual([]);
  });

  const open = (board: string, more: Readonly<Record<string, string>> = {}) =>
    shown.open(`/d/${board}?${new URLSearchParams({ ...CHOSEN, 'var-ds': stage.source.uid, ...more }).toString()}`);

  /** Dashboard and settings that an address stands for; a filter that a cell has set names its field as the column does. */
  const settingsOf = (address: string) => {
    const { pathname, searchParams } = new URL(address, stage.grafana.url);
    const all = (name: string) => searchParams.getAll(name).filter((value) => value !== '');
    return {
      board: pathname.split('/')[2],
      from: Date.parse(searchParams.get('from') ?? ''),
      to: Date.parse(searchParams.get('to') ?? ''),
      exporter: all('var-exporter'),
      filter: all('var-filter'),
      filters: all('var-filters').map((text) =>
        text.replace(/^Client\|/, 'client_addr|').replace(/^Server\|/, 'server_addr|'),
      ),
    };
  };
  const expected = (board: string, filters: readonly string[] = []) => ({
    board,
    from: window.fromMs,
    to: window.toMs,
    exporter: [FIRST],
    filter: [CHOSEN['var-filter']],
    filters,
  });

  const table = (title: string) =>
    page.getByTestId(`data-testid Panel header ${title}`).filter({ has: page.getByRole('grid') });
  const choose = async (variable: string, option: string) => {
    await page.getByText(variable, { exact: true }).locator('xpath=..').locator('input').first().click();
    await page.getByRole('option', { name: option, exact: true }).click();
  };
  /** Takes the last step back, and waits until everything is set as it was. */
  const back = async (board: string, filters: readonly string[] = []) => {
    await page.goBack();
    await until(
      async () => JSON.stringify(settingsOf(page.url())) === JSON.stringify(expected(board, filters)),
      20_000,
      () => `${board} is not back: ${page.url()}`,
    );
  };
  /** Waits until a table shows these addresses and names, and no others; those of the exporters do not count. */
  const addresses = async (title: string, ...wanted: readonly string[]) => {
    const found = async () => {
      const text = await table(title)
        .innerText({ timeout: 5000 })
        .catch(() => '');
      return [...new Set(text.match(/\b(198\.51\.100|203\.0\.113)\.\d+|cdn\.example\.com/g))].sort();
    };
    await until(
      async () => (await found()).join() === [...wanted].sort().join(),
      30_000,
      `${title} does not show ${wanted.join()}`,
    ).catch(async (error: Error) => {
      await shown.picture(`not-${title}`);
      throw new Error(`${error.message}, but ${(await found()).join()}`);
    });
  };

  test('leads over its conversations, keeps what is set, and every step can be taken back', async () => {
    await open('ringflow-overview');
    await addresses('Top clients', TALKER, OTHER);
    await shown.picture('click-1-overview');
    await table('Top clients').getByText(TALKER, { exact: true }).first().click();
    await page.getByText(`Conversations of ${TALKER}`).click();
    await page.waitForURL(/ringflow-top-conversations/);
    await addresses('Top conversations', TALKER, WEB, MAIL);
    const ofTalker = `client_addr|=|${TALKER}`;
    expect(settingsOf(page.url())).toEqual(expected('ringflow-top-conversations', [ofTalker]));
    await shown.picture('click-2-conversations');

    await table('Top conversations').getByText(WEB, { exact: true }).first().click();
    await page.waitForURL(/ringflow-records-client-server/);
    await addresses('Flow records', TALKER, WEB);
    const ofBoth = [ofTalker, `server_addr|=|${WEB}`];
    expect(settingsOf(page.url())).toEqual(expected('ringflow-records-client-server', ofBoth));
    await shown.picture('click-3-records');

    await page.getByLabel('Expand row').first().click();
    await page.getByText('6 MB (6000000)').first().waitFor();
    await shown.picture('click-4-record');

    // Nothing was looked up so far; now both ends are, and one has a name. The row stays open and says both.
    expect(names.asked).toEqual([]);
    await choose('Resolve IP', 'On');
    await addresses('Flow records', TALKER, WEB, NAME);
    await page.getByText(`${NAME} (${WEB})`).first().waitFor();
    expect([...names.asked].sort()).toEqual(['PTR 1.100.51.198.in-addr.arpa', 'PTR 5.113.0.203.in-addr.arpa']);
    expect(settingsOf(page.url())).toEqual(expected('ringflow-records-client-server', ofBoth));
    await shown.picture('click-5-names');

    await back('ringflow-records-client-server', ofBoth);
    await addresses('Flow records', TALKER, WEB);
    await back('ringflow-top-conversations', [ofTalker]);
    await addresses('Top conversations', TALKER, WEB, MAIL);
    await back('ringflow-overview');
    await addresses('Top clients', TALKER, OTHER);
    await shown.picture('click-6-back');
  });

  test('a name stands for its address: filters and links mean that', async () => {
    await open('ringflow-records-client-server', { 'var-resolve': 'on' });
    await addresses('Flow records', TALKER, OTHER, MAIL, NAME);
    const named = () => table('Flow records').getByText(NAME, { exact: true }).first();
    await named().hover();
    await page.getByRole('button', { name: 'Filter for value' }).first().click();
    await addresses('Flow records', TALKER, OTHER, NAME);
    const ofServer = [`server_addr|=|${WEB}`];
    expect(settingsOf(page.url())).toEqual(expected('ringflow-records-client-server', ofServer));
    await choose('Resolve IP', 'Off');
    await addresses('Flow records', TALKER, OTHER, WEB);
    await back('ringflow-records-client-server', ofServer);
    await named().click();
    await page.waitForURL(/ringflow-top-conversations/);
    await addresses('Top conversations', TALKER, OTHER, WEB);
  });

  test('the bar on top of every dashboard leads to every view with all that is set, and back', async () => {
    const filters = [`client_addr|=|${TALKER}`];
    const [first, ...others] = BOARDS.map(({ uid }) => uid);
    await open(first as string, { 'var-filters': filters[0] as string });
    for (const uid of [first as string, ...others]) {
      if (uid !== first) await page.locator(`a[href^="/d/${uid}?"]`).first().click();
      // Off the link: what it says of itself would cover the next one.
      await page.mouse.move(0, 0);
      await until(async () => settingsOf(page.url()).board === uid, 30_000, `${uid} did not open`);
      await page.getByTestId('data-testid header-container').first().waitFor();
      expect(settingsOf(page.url())).toEqual(expected(uid, filters));
      // What is set is also what the reader sees.
      await page.getByText(`client_addr = ${TALKER}`).waitFor();
      expect(await page.locator(`input[value="${CHOSEN['var-filter']}"]`).count()).toBe(1);
      const links = await page.getByTestId('data-testid Dashboard link').all();
      const led = await Promise.all(links.map(async (link) => settingsOf((await link.getAttribute('href')) ?? '')));
      expect(led.length).toBeGreaterThan(8);
      expect(led).toEqual(led.map(({ board }) => expected(board as string, filters)));
    }
    for (const uid of [first as string, ...others].reverse().slice(1)) await back(uid, filters);
  });
});
