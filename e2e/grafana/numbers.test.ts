/**
 * Numbers on the screen are right: a collector gets traffic of which everything is known, and every panel of every
 * dashboard is compared with it, as the browser gets it and as it shows it.
 */
import { generate } from '../../dashboards/src/generate.ts';
import { findProgram } from '../testing/programs.ts';
import type { GrafanaPage } from './testing/browser.ts';
import { EXPECTED, type ExpectedBoard } from './testing/expected-boards.ts';
import { HEALTH } from './testing/expected-health.ts';
import { describeWithGrafana } from './testing/grafana.ts';
import { startKnownCollector } from './testing/known-collector.ts';
import { EARLIER_FLOWS, HOUR_MS, knownRecords, type KnownRecord } from './testing/known-load.ts';
import { factOf } from './testing/known-sums.ts';
import { EXPORTERS } from './testing/known-world.ts';
import { showDashboard, valuesOf, type ShownPanel, type WrittenDashboard } from './testing/panel-answers.ts';
import { startMetrics, type Metrics } from './testing/prometheus.ts';
import { useStageWith } from './testing/stage.ts';

jest.setTimeout(300_000);

const DASHBOARDS = new Map(
  [...generate().values()].map((content) => JSON.parse(content) as WrittenDashboard).map((one) => [one.uid, one]),
);
/** The one that asks Prometheus. */
const OF_HEALTH = 'ringflow-health';
/** The hour before the current one: whole, and all in the past. */
const FROM_MS = (Math.floor(Date.now() / HOUR_MS) - 1) * HOUR_MS;
const KNOWN = { records: knownRecords(FROM_MS), span: { fromMs: FROM_MS, toMs: FROM_MS + HOUR_MS } };

/** By title; panels of one title have theirs in their order. */
type Checks<K> = Readonly<Record<string, Check<K> | readonly Check<K>[]>>;
type Check<K> = (panel: ShownPanel, known: K) => void;

/** All that is wrong with panels, each under its title. */
function problems<K>(shown: readonly ShownPanel[], checks: Checks<K>, known: K): string[] {
  return Object.entries(checks).flatMap(([title, list]) => {
    const panels = shown.filter((panel) => panel.title === title);
    return [list].flat().flatMap((check, index) => {
      const panel = panels[index] as ShownPanel;
      if (panel.error !== undefined) return [`${title}: ${panel.error}`];
      try {
        (check as Check<K>)(panel, known);
        return [];
      } catch (error) {
        // The beginning says enough: some panels have thousands of values.
        return [`${title}: ${(error as Error).message.slice(0, 1500)}`];
      }
    });
  });
}

/** Bytes that were sent in some directions, copies too. */
const bytesOf = (isMeant: (direction: string) => boolean): number =>
  KNOWN.records.reduce((sum, record) => sum + (isMeant(factOf('direction', record)) ? record.bytes : 0), 0);

const HAS_PROMETHEUS = findProgram('prometheus') !== null;
if (!HAS_PROMETHEUS) process.stderr.write('prometheus is not installed; its dashboard is not compared\n');

test('every panel of every dashboard has something to be compared with', () => {
  const titles = (panels: readonly { title: string }[]) => [...new Set(panels.map(({ title }) => title))].sort();
  for (const { uid, panels } of DASHBOARDS.values()) {
    const { panels: checks, screen } = uid === OF_HEALTH ? { panels: HEALTH, screen: HEALTH } : (EXPECTED[uid] ?? {});
    expect([uid, ...Object.keys(checks ?? {}).sort()]).toEqual([uid, ...titles(panels)]);
    expect([uid, Object.keys(screen ?? {}).length]).not.toEqual([uid, 0]);
  }
});

describeWithGrafana('numbers of dashboards', () => {
  let metrics: Metrics | undefined;
  let page: GrafanaPage;
  const seen = new Map<string, Promise<ShownPanel[]>>();

  // Before the stage is cleared: these run in the order in which they stand.
  afterAll(() => metrics?.stop());
  const stage = useStageWith('Known flows', startKnownCollector);
  beforeAll(async () => {
    // What came before is not in the hour that is looked at; by it Prometheus knows every counter that will rise.
    await stage.collector.sendEarlier(FROM_MS);
    await stage.collector.send(knownRecords(FROM_MS - 3 * HOUR_MS));
    if (HAS_PROMETHEUS) {
      metrics = await startMetrics(stage.grafana, stage.collector);
      await metrics.becomes('count_over_time(ringflow_ledger_received_records_total[1m]) > 3');
    }
    await stage.collector.send(KNOWN.records);
    for (const dashboard of DASHBOARDS.values())
      await stage.grafana.api('POST', '/api/dashboards/db', { dashboard, overwrite: true });
    page = await stage.browser.newPage();
  });

  /** Opens a dashboard once. */
  function show(uid: string): Promise<ShownPanel[]> {
    const times = uid === OF_HEALTH ? { from: 'now-5m', to: 'now' } : { from: FROM_MS, to: FROM_MS + HOUR_MS };
    const sources = { 'var-ds': stage.source.uid, 'var-prometheus': metrics?.uid ?? '' };
    const shown =
      seen.get(uid) ?? showDashboard(page, DASHBOARDS.get(uid) as WrittenDashboard, { ...times, ...sources });
    seen.set(uid, shown);
    return shown;
  }

  (HAS_PROMETHEUS ? test : test.skip)('the collector, as Prometheus sees it', async () => {
    const sent = KNOWN.records.length;
    await metrics?.becomes(`sum(ringflow_ledger_stored_records_total) == ${EARLIER_FLOWS.length + 2 * sent}`);
    const counts = new Map<string, number>();
    for (const { exporter } of KNOWN.records) counts.set(exporter.address, (counts.get(exporter.address) ?? 0) + 1);
    // A query, so that there is something to say about queries.
    await show('ringflow-top-services');
    await metrics?.becomes('sum(rate(ringflow_query_duration_seconds_count[1m])) > 0');
    const shown = await show(OF_HEALTH);
    const known = {
      sent,
      byExporter: Object.fromEntries(counts),
      hitRatio: bytesOf((direction) => direction === 'in' || direction === 'out') / bytesOf(() => true),
      metrics: await stage.collector.metrics(),
    };
    expect(problems(shown, HEALTH, known)).toEqual([]);
    const text = (title: string) => shown.find((panel) => panel.title === title)?.text;
    expect(['Ledger difference', 'Records waiting', 'Records dropped', 'Exporters'].map(text)).toEqual([
      'Ledger difference 0',
      'Records waiting 0',
      'Records dropped 0',
      `Exporters ${counts.size}`,
    ]);
  });

  test.each(Object.entries(EXPECTED))('%s', async (uid, { panels, screen }) => {
    const shown = await show(uid);
    await page.picture(`numbers-${uid}`);
    const wrong = problems(shown, panels, KNOWN);
    for (const [title, texts] of Object.entries(screen)) {
      const text = shown.flatMap((panel) => (panel.title === title ? panel.text : [])).join(' ');
      for (const one of texts)
        if (!text.includes(one)) wrong.push(`${title} does not show ${JSON.stringify(one)}: ${text}`);
    }
    for (const { title, text } of shown.filter(({ type }) => type === 'piechart')) {
      const percents = [...text.matchAll(/(\d+\.\d)%/g)].map(([, percent]) => Number(percent));
      const sum = percents.reduce((total, percent) => total + percent, 0);
      // Grafana rounds each slice by itself.
      if (Math.abs(sum - 100) > percents.length * 0.05) wrong.push(`${title}: slices make ${sum} %: ${text}`);
    }
    if (wrong.length > 0) throw new Error(`${uid}\n${wrong.join('\n\n')}`);
  });

  test.each([
    ['var-filter', 'proto = udp or proto = icmp', ({ proto }: KnownRecord) => proto !== 6],
    // What one exporter saw is asked: that another one saw it, too, does not matter.
    ['var-exporter', EXPORTERS.branch.address, ({ exporter }: KnownRecord) => exporter === EXPORTERS.branch],
  ])('%s: what is chosen on top restricts every panel', async (variable, value, isMeant) => {
    const board = DASHBOARDS.get('ringflow-networks') as WrittenDashboard;
    const choice = {
      from: FROM_MS,
      to: FROM_MS + HOUR_MS,
      'var-ds': stage.source.uid,
      [variable]: encodeURIComponent(value),
    };
    const shown = await showDashboard(page, board, choice);
    const records = KNOWN.records.filter(isMeant);
    const known = variable === 'var-exporter' ? records.map((record) => ({ ...record, copy: false })) : records;
    expect(
      problems(shown, (EXPECTED['ringflow-networks'] as ExpectedBoard).panels, { ...KNOWN, records: known }),
    ).toEqual([]);
  });

  test('clients and servers have as much as sources and destinations, and as the overview says', async () => {
    const totalOf = async (uid: string, title: string, field: string): Promise<number> => {
      const panel = (await show(uid)).find((one) => one.title === title) as ShownPanel;
      return panel.frames.flatMap((frame) => valuesOf(frame, field) as number[]).reduce((sum, value) => sum + value, 0);
    };
    const boards = [
      ['ringflow-flows-client-server', 'Clients', 'Servers'],
      ['ringflow-flows-src-dst', 'Sources', 'Destinations'],
      ['ringflow-flows-as', 'Source AS', 'Destination AS'],
    ] as const;
    for (const [field, name, stat] of [
      ['bytes', 'bytes', 'Bytes'],
      ['packets', 'packets', 'Packets'],
      ['flows', 'flow records', 'Records'],
    ] as const) {
      const whole = await totalOf('ringflow-overview', stat, field);
      for (const [uid, ...ends] of boards)
        for (const end of ends)
          expect([uid, end, await totalOf(uid, `${end} (${name})`, field)]).toEqual([uid, end, whole]);
    }
  });
});
