/**
 * The data source in a real Grafana: settings, each kind of query by way of Grafana, panels in a browser, and what is
 * said when the collector refuses, is gone or is slow.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../../collector/src/cli/testing/collector.ts';
import { saveDashboard, type PanelOf } from './testing/dashboard.ts';
import { addSource, column, type TimeWindow } from './testing/data-source.ts';
import { TOKEN, type MadeUpFlow } from './testing/flows.ts';
import { describeWithGrafana } from './testing/grafana.ts';
import { useStage } from './testing/stage.ts';

jest.setTimeout(180_000);

/** Whole minutes before now: five of them, a flow of each of three pairs in each minute. */
const MINUTE = 60_000;
const toMs = Math.floor(Date.now() / MINUTE) * MINUTE - 2 * MINUTE;
const window: TimeWindow = { fromMs: toMs - 5 * MINUTE, toMs };
const PAIRS = [
  { srcAddr: '198.51.100.1', dstAddr: '203.0.113.10', dstPort: 443, bytes: 6_000_000, packets: 5000 },
  { srcAddr: '198.51.100.2', dstAddr: '203.0.113.10', dstPort: 53, bytes: 60_000, packets: 600 },
  { srcAddr: '198.51.100.3', dstAddr: '203.0.113.11', dstPort: 22, bytes: 600_000, packets: 900 },
];
const flows: MadeUpFlow[] = [0, 1, 2, 3, 4].flatMap((minute) =>
  PAIRS.map((pair) => ({
    ...pair,
    startMs: window.fromMs + minute * MINUTE + 10_000,
    endMs: window.fromMs + minute * MINUTE + 40_000,
  })),
);

describeWithGrafana('the data source in Grafana', () => {
  const stage = useStage('Flows of the test');

  describe('settings', () => {
    test('an empty collector is healthy, and the check says what is missing', async () => {
      await expect(stage.source.health()).resolves.toEqual(
        expect.objectContaining({
          status: 'OK',
          message: expect.stringMatching(/^Ringflow [0-9.]+ answers, but has no flows yet\. /),
        }),
      );
    });

    test('each thing that can be wrong has a text of its own', async () => {
      const html = await listen((_, response) => response.setHeader('content-type', 'text/html').end('<html>'));
      const cases: [settings: Parameters<typeof addSource>[2], says: RegExp][] = [
        [{ url: stage.collector.url, token: 'wrong' }, /^The collector refuses the token\. Paste /],
        [{ url: stage.collector.url }, /^The collector wants a token, and the data source has none\. /],
        [{ url: 'http://127.0.0.1:1', token: TOKEN }, /^Nothing listens at http:\/\/127\.0\.0\.1:1\. /],
        [{ url: urlOf(html) }, /is not a Ringflow collector: it answered 200 with text\/html\. /],
        [{ url: stage.collector.url.replace('http:', 'https:') }, /does not speak TLS\. Begin the URL .* http:/],
        [{ url: 'collector:8055' }, /cannot be used\. Write scheme, host and port/],
      ];
      try {
        for (const [settings, says] of cases) {
          const wrong = await addSource(stage.grafana, `Wrong ${says}`, settings);
          expect(await wrong.health()).toEqual(
            expect.objectContaining({ status: 'ERROR', message: expect.stringMatching(says) }),
          );
          await wrong.remove();
        }
      } finally {
        html.close();
      }
    });

    test('are filled in by hand: a wrong token is refused, the right one is taken', async () => {
      const { page, open, picture } = await stage.browser.newPage();
      await open('/connections/datasources/new');
      await page.getByPlaceholder(/filter by name or type/i).fill('Ringflow');
      await page
        .getByRole('button', { name: /Ringflow/ })
        .first()
        .click();
      await page.getByLabel(/^URL/).first().fill(stage.collector.url);
      await page
        .getByLabel(/^Token/)
        .first()
        .fill('wrong');
      await page.getByRole('button', { name: 'Save & test' }).click();
      await page
        .getByText(/The collector refuses the token/)
        .first()
        .waitFor();
      await picture('settings-wrong-token');
      // After the check Grafana reads the settings again, and takes back what was typed meanwhile.
      await page.waitForLoadState('networkidle');
      await page
        .getByRole('button', { name: /^Reset/ })
        .first()
        .click();
      await page
        .getByLabel(/^Token/)
        .first()
        .fill(TOKEN);
      await page.getByRole('button', { name: 'Save & test' }).click();
      await page
        .getByText(/Ringflow [0-9.]+/)
        .first()
        .waitFor();
      await picture('settings-right-token');
      await stage.grafana.api('DELETE', `/api/datasources/uid/${/edit\/([^/?]+)/.exec(page.url())?.[1]}`);
    });
  });

  describe('queries', () => {
    beforeAll(() => stage.collector.send(flows));

    test('the frames of each kind hold what was sent', async () => {
      const answers = await stage.source.ask(
        [
          { refId: 'series', kind: 'timeseries', groupBy: ['src_addr'] },
          { refId: 'table', kind: 'table', groupBy: ['src_addr', 'dst_addr'], limit: 2 },
          { refId: 'stat', kind: 'stat', unique: ['src_addr'] },
          { refId: 'records', kind: 'records', filter: 'dst_port = 22' },
          { refId: 'graph', kind: 'graph', groupBy: ['src_addr', 'dst_addr'] },
          { refId: 'heatmap', kind: 'heatmap', groupBy: ['bytes'] },
          { refId: 'geo', kind: 'geo', groupBy: ['dst_country'] },
        ],
        window,
      );
      expect(Object.entries(answers).filter(([, { error }]) => error)).toEqual([]);

      const series = answers['series']?.frames[0];
      const rates = new Map(
        series?.schema.fields.map((field, index) => [field.labels?.['src_addr'], series.data.values[index]]) ?? [],
      );
      for (const { srcAddr, bytes } of PAIRS) expect(rates.get(srcAddr)).toEqual(Array(5).fill((bytes * 8) / 60));
      expect(column(answers['series'], 'time')).toEqual(
        [0, 1, 2, 3, 4].map((minute) => window.fromMs + minute * MINUTE),
      );

      expect(column(answers['table'], 'src_addr')).toEqual(['198.51.100.1', '198.51.100.3', 'other']);
      expect(column(answers['table'], 'bytes')).toEqual([30_000_000, 3_000_000, 300_000]);
      expect(column(answers['table'], 'packets')).toEqual([25_000, 4500, 3000]);
      expect([
        column(answers['stat'], 'bytes'),
        column(answers['stat'], 'flows'),
        column(answers['stat'], 'unique_src_addr'),
      ]).toEqual([[33_300_000], [15], [3]]);
      expect(column(answers['records'], 'bytes')).toEqual(Array(5).fill(600_000));
      expect(column(answers['graph'], 'source')).toHaveLength(3);
      expect(answers['heatmap']?.frames[0]?.schema.meta.type).toBe('heatmap-rows');
    });

    test('a query of an older dashboard means the same as a new one', async () => {
      const old = { refId: 'A', queryType: 'table', groupBy: ['src_addr'], version: 0 };
      const now = { refId: 'B', kind: 'table' as const, groupBy: ['src_addr'], version: 1 };
      const answers = await stage.source.ask([old, now], window);
      expect(answers['A']?.frames[0]?.data).toEqual(answers['B']?.frames[0]?.data);
      expect(column(answers['A'], 'bytes')).toEqual([30_000_000, 3_000_000, 300_000]);
    });

    test('one wrong query leaves the others alone, and says what is wrong', async () => {
      const answers = await stage.source.ask(
        [
          { refId: 'A', kind: 'stat' },
          { refId: 'B', filter: 'src_addr = = 3' },
        ],
        window,
      );
      expect(column(answers['A'], 'flows')).toEqual([15]);
      expect(answers['B']).toEqual(
        expect.objectContaining({
          status: 400,
          error: expect.stringMatching(/^Found "=" where a value should stand\. Give an address/),
        }),
      );
    });

    test('panels draw each kind, and Explore shows records', async () => {
      const panels: PanelOf[] = [
        { title: 'Rates', type: 'timeseries', query: { kind: 'timeseries', groupBy: ['src_addr'] } },
        { title: 'Pairs', type: 'table', query: { kind: 'table', groupBy: ['src_addr', 'dst_addr'] } },
        { title: 'Sum', type: 'stat', query: { kind: 'stat', columns: ['bytes'] } },
        {
          title: 'Records',
          type: 'table',
          query: { kind: 'records', columns: ['src_addr', 'dst_addr', 'dst_port', 'bytes'] },
        },
        { title: 'Graph', type: 'nodeGraph', query: { kind: 'graph', groupBy: ['src_addr', 'dst_addr'] } },
        { title: 'Sizes', type: 'heatmap', query: { kind: 'heatmap', groupBy: ['bytes'] } },
      ];
      const uid = await saveDashboard(stage.grafana, 'Kinds', stage.source, panels, window);
      const { page, open, picture, errors } = await stage.browser.newPage();
      await open(`/d/${uid}`);
      for (const { title } of panels) await page.getByRole('heading', { name: title }).first().waitFor();
      await page.getByText('33.3 MB').first().waitFor();
      await page.getByText('203.0.113.11').first().waitFor();
      await picture('kinds');
      expect(await page.getByText(/No data|Data is missing|An unexpected error/).allTextContents()).toEqual([]);
      expect(await page.getByTestId(/Panel status error/).count()).toBe(0);

      const pane = {
        a: {
          datasource: stage.source.uid,
          queries: [{ refId: 'A', datasource: stage.source.ref, kind: 'records' }],
          range: { from: String(window.fromMs), to: String(window.toMs) },
        },
      };
      await open(`/explore?schemaVersion=1&orgId=1&panes=${encodeURIComponent(JSON.stringify(pane))}`);
      await page.getByText('203.0.113.11').first().waitFor();
      await picture('explore-records');
      expect(errors).toEqual([]);
    });
  });

  describe('a collector that does not answer', () => {
    test('is named in the panel, with what to do', async () => {
      const gone = await addSource(stage.grafana, 'Gone', { url: 'http://127.0.0.1:1' });
      const uid = await saveDashboard(
        stage.grafana,
        'Gone',
        gone,
        [{ title: 'Rates', type: 'timeseries', query: { kind: 'timeseries' } }],
        window,
      );
      const { page, open, picture } = await stage.browser.newPage();
      await open(`/d/${uid}`);
      await page
        .getByTestId(/Panel status error/)
        .first()
        .hover();
      await page
        .getByText(/Nothing listens at/)
        .first()
        .waitFor();
      await picture('collector-gone');
      await gone.remove();
    });

    test('in time is an error after the timeout of the data source, and the question ends', async () => {
      let ended = 0;
      const slow = await listen((_, response) => response.once('close', () => ended++));
      const waiting = await addSource(stage.grafana, 'Slow', { url: urlOf(slow), jsonData: { timeout: 1 } });
      try {
        const { A } = await waiting.ask([{ refId: 'A' }], window);
        expect(A).toEqual(
          expect.objectContaining({
            status: 504,
            error: expect.stringContaining('did not answer within 1s. Ask for less'),
          }),
        );
        // The connection's end may come a moment after the answer.
        await until(async () => ended > 0, 5000, 'the end of the question');
        expect(ended).toBe(1);
      } finally {
        await waiting.remove();
        slow.close();
      }
    });
  });
});

function listen(handle: Parameters<typeof createServer>[1]): Promise<Server> {
  const server = createServer(handle as never);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
