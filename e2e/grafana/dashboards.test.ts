/**
 * Every dashboard in a real Grafana, over the demo's traffic: no panel without data, none with an error, nothing asked
 * from outside; and totals that agree however they are divided.
 */
import { BOARDS } from '../../dashboards/src/boards.ts';
import { generate } from '../../dashboards/src/generate.ts';
import { findProgram } from '../testing/programs.ts';
import { saveDashboard } from './testing/dashboard.ts';
import { column } from './testing/data-source.ts';
import { startDemoCollector } from './testing/demo.ts';
import { paintedAfter, paintingTable, watchPainting, type PaintedBoard } from './testing/first-paint.ts';
import { describeWithGrafana } from './testing/grafana.ts';
import { hasValues, showDashboard, type WrittenDashboard } from './testing/panel-answers.ts';
import { startMetrics, type Metrics } from './testing/prometheus.ts';
import { useStageWith } from './testing/stage.ts';

jest.setTimeout(300_000);

const HAS_PROMETHEUS = findProgram('prometheus') !== null;
if (!HAS_PROMETHEUS) process.stderr.write('prometheus is not installed; its dashboard is not looked at\n');
const DASHBOARDS = new Map(
  [...generate().values()].map((content) => JSON.parse(content) as WrittenDashboard).map((one) => [one.uid, one]),
);
const SHOWN = BOARDS.filter(({ prometheus }) => HAS_PROMETHEUS || prometheus !== true);

describeWithGrafana('the dashboards in Grafana', () => {
  let metrics: Metrics | undefined;

  // Before the stage is cleared: these run in the order in which they stand.
  afterAll(() => metrics?.stop());
  const stage = useStageWith('Flows of the demo', startDemoCollector);
  beforeAll(async () => {
    if (HAS_PROMETHEUS) {
      metrics = await startMetrics(stage.grafana, stage.collector);
      // Rates need half a minute of it.
      await metrics.becomes('count_over_time(ringflow_exporters[5m]) > 20');
    }
    for (const dashboard of DASHBOARDS.values())
      await stage.grafana.api('POST', '/api/dashboards/db', { dashboard, overwrite: true });
  });

  test.each(SHOWN.map(({ uid }) => [uid]))('%s: every panel shows data', async (uid) => {
    const opened = await stage.browser.newPage();
    const { page, picture, errors } = opened;
    const size = page.viewportSize() as { width: number; height: number };
    const outside: string[] = [];
    page.on('request', (request) => {
      const { hostname, protocol } = new URL(request.url());
      if (protocol.startsWith('http') && hostname !== '127.0.0.1') outside.push(request.url());
    });
    const shown = await showDashboard(opened, DASHBOARDS.get(uid) as WrittenDashboard, {
      from: 'now-6h',
      to: 'now',
      'var-ds': stage.source.uid,
      'var-prometheus': metrics?.uid ?? '',
    });
    const marked = await page.getByTestId(/Panel status error/).count();
    await page.setViewportSize(size);
    await picture(uid);
    const failed = shown.flatMap(({ title, error }) => (error === undefined ? [] : `${title}: ${error}`));
    // A table without rows looks like one that has not been filled yet, so what was answered is looked at, too.
    const empty = shown.flatMap(({ title, frames, text }) => (hasValues(frames) && !/No data/.test(text) ? [] : title));
    expect(marked).toBe(failed.length);
    expect({ uid, failed, empty, errors, outside }).toEqual({ uid, failed: [], empty: [], errors: [], outside: [] });
    await page.context().close();
  });

  test('when each dashboard is to be seen', async () => {
    const { page, open } = await stage.browser.newPage();
    const { source, grafana } = stage;
    const text = { title: 'Text', type: 'text', query: {}, options: { content: 'Nothing is asked' } };
    const now = { fromMs: Date.now() - 3_600_000, toMs: Date.now() };
    const alone = await saveDashboard(grafana, 'Grafana alone', source, [text], now);
    const load = (uid: string) =>
      paintedAfter(page, () =>
        open(`/d/${uid}?from=now-6h&to=now&var-ds=${source.uid}&var-prometheus=${metrics?.uid ?? ''}`),
      );
    const click = (uid: string) => paintedAfter(page, () => page.locator(`a[href^="/d/${uid}?"]`).first().click());
    await watchPainting(page);
    const rows: PaintedBoard[] = [];
    try {
      // Whoever comes the first time fetches Grafana's scripts, too; that is not counted.
      await load(alone);
      rows.push({ board: 'one text panel', loaded: await load(alone) });
      // Each board has a link to the next one.
      const [first, ...others] = SHOWN.map(({ uid }) => uid) as [string, ...string[]];
      await load(first);
      rows.push({ board: first, loaded: await load(first) });
      for (const board of others) rows.push({ board, clicked: await click(board), loaded: await load(board) });
    } finally {
      process.stderr.write(`${paintingTable(rows)}\n`);
      await page.context().close();
    }
    expect(rows).toHaveLength(SHOWN.length + 1);
  }, 600_000);

  test('a total is the same however it is divided, and shares make a hundred', async () => {
    // An hour ago nothing more arrives between one answer and the next.
    const toMs = (Math.floor(Date.now() / 3_600_000) - 1) * 3_600_000;
    const table = (refId: string, groupBy: string[]) => ({ refId, kind: 'table' as const, groupBy, limit: 20 });
    const answers = await stage.source.ask(
      [
        { refId: 'total', kind: 'stat' },
        table('clients', ['client_addr']),
        table('servers', ['server_addr']),
        table('sources', ['src_addr']),
        table('destinations', ['dst_addr']),
        table('services', ['service']),
        table('systems', ['src_as', 'dst_as']),
      ],
      { fromMs: toMs - 6 * 3_600_000, toMs },
    );
    const sum = (refId: string, name: string) =>
      (column(answers[refId], name) as number[]).reduce((total, value) => total + value, 0);
    const [total] = column(answers['total'], 'bytes') as [number];
    expect(total).toBeGreaterThan(0);
    for (const refId of ['clients', 'servers', 'sources', 'destinations', 'services', 'systems']) {
      expect([refId, sum(refId, 'bytes')]).toEqual([refId, total]);
      expect([refId, Math.round(sum(refId, 'share') * 10)]).toEqual([refId, 1000]);
    }
  });
});
