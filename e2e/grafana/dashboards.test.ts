/**
 * Every dashboard in a real Grafana, over the demo's traffic: no panel without data, none with an error, nothing asked
 * from outside; and totals that agree however they are divided.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import {
  createFolder,
  startCollector,
  until,
  type RunningCollector,
} from '../../collector/src/cli/testing/collector.ts';
import { BOARDS } from '../../dashboards/src/boards.ts';
import { generate } from '../../dashboards/src/generate.ts';
import { ROOT } from '../testing/documented.ts';
import { freeTcpPort } from '../testing/ports.ts';
import { findProgram, startProgram, type RunningProgram } from '../testing/programs.ts';
import { startBrowser, type GrafanaBrowser } from './testing/browser.ts';
import { addSource, column, type FlowSource } from './testing/data-source.ts';
import { describeWithGrafana, startGrafana, type Grafana } from './testing/grafana.ts';

jest.setTimeout(300_000);

const HAS_PROMETHEUS = findProgram('prometheus') !== null;
if (!HAS_PROMETHEUS) process.stderr.write('prometheus is not installed; its dashboard is not looked at\n');
const SHOWN = BOARDS.filter(({ prometheus }) => HAS_PROMETHEUS || prometheus !== true);

describeWithGrafana('the dashboards in Grafana', () => {
  let folder: ReturnType<typeof createFolder>;
  let collector: RunningCollector;
  let grafana: Grafana;
  let browser: GrafanaBrowser;
  let source: FlowSource;
  let prometheus: RunningProgram | undefined;
  let metrics: string | undefined;

  beforeAll(async () => {
    folder = createFolder('demo: {flows_per_second: 100, history_flows_per_minute: 300}\n');
    [collector, grafana] = await Promise.all([startCollector(folder.path, 'demo'), startGrafana()]);
    await until(
      async () => /Filled in the last/.test(collector.output()),
      120_000,
      () => collector.output(),
    );
    source = await addSource(grafana, 'Flows of the demo', { url: collector.url });
    if (HAS_PROMETHEUS) metrics = await scrape();
    for (const content of generate().values())
      await grafana.api('POST', '/api/dashboards/db', { dashboard: JSON.parse(content), overwrite: true });
    browser = await startBrowser(grafana);
  });
  afterAll(async () => {
    await browser?.close();
    prometheus?.kill('SIGTERM');
    await source?.remove();
    if (metrics !== undefined) await grafana.api('DELETE', `/api/datasources/uid/${metrics}`);
    await grafana?.stop();
    collector?.kill('SIGTERM');
    await collector?.exited;
    folder?.remove();
  });

  /** A Prometheus that has scraped the collector for half a minute, as a data source; returns its uid. */
  async function scrape(): Promise<string> {
    const file = join(folder.path, 'prometheus.yml');
    const config = readFileSync(join(ROOT, 'provisioning/prometheus/prometheus.yml'), 'utf8')
      .replace('127.0.0.1:8055', new URL(collector.url).host)
      .replace('scrape_interval: 15s', 'scrape_interval: 1s')
      .replaceAll('- rules/', `- ${join(ROOT, 'provisioning/prometheus/rules')}/`);
    writeFileSync(file, config);
    const port = await freeTcpPort();
    const url = `http://127.0.0.1:${port}`;
    const args = [
      `--config.file=${file}`,
      `--storage.tsdb.path=${folder.path}/tsdb`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    prometheus = startProgram('prometheus', args, folder.path, 900_000);
    const asked = `${url}/api/v1/query?query=${encodeURIComponent('count_over_time(ringflow_exporters[5m]) > 20')}`;
    await until(
      async () => (await (await fetch(asked).catch(() => undefined))?.text())?.includes('"value"'),
      90_000,
      () => prometheus?.output() ?? '',
    );
    const { datasource } = await grafana.api<{ datasource: { uid: string } }>('POST', '/api/datasources', {
      name: 'Prometheus of the demo',
      type: 'prometheus',
      access: 'proxy',
      url,
      jsonData: { timeInterval: '1s' },
    });
    return datasource.uid;
  }

  /** Brings every panel into view, so that each asks, and waits until all have their answers. */
  async function showAll(page: Page): Promise<void> {
    const bottom = async (): Promise<number> => page.evaluate('document.documentElement.scrollHeight');
    for (let y = 0; y < (await bottom()); y += 700) {
      await page.evaluate(`window.scrollTo(0, ${y})`);
      await page.waitForTimeout(300);
      await page.waitForFunction('document.querySelector(\'[aria-label="Panel loading bar"]\') === null', null, {
        timeout: 60_000,
      });
    }
  }

  test.each(SHOWN.map(({ uid }) => [uid]))('%s: every panel shows data', async (uid) => {
    const { page, open, picture, errors } = await browser.newPage();
    const outside: string[] = [];
    page.on('request', (request) => {
      const { hostname, protocol } = new URL(request.url());
      if (protocol.startsWith('http') && hostname !== '127.0.0.1') outside.push(request.url());
    });
    await open(`/d/${uid}?from=now-6h&to=now&kiosk&var-ds=${source.uid}&var-prometheus=${metrics ?? ''}`);
    await page.getByTestId('data-testid header-container').first().waitFor({ timeout: 60_000 });
    await showAll(page);
    await picture(uid);
    const statuses = await page.getByTestId(/Panel status error/).all();
    const failed = await Promise.all(
      statuses.map((status) => status.locator('xpath=ancestor::section[1]').innerText()),
    );
    const empty = await page
      .getByText(/^No data/)
      .locator('xpath=ancestor::section[1]')
      .allInnerTexts();
    expect({ uid, failed, empty, errors, outside }).toEqual({ uid, failed: [], empty: [], errors: [], outside: [] });
    await page.context().close();
  });

  test('a total is the same however it is divided, and shares make a hundred', async () => {
    // An hour ago nothing more arrives between one answer and the next.
    const toMs = (Math.floor(Date.now() / 3_600_000) - 1) * 3_600_000;
    const table = (refId: string, groupBy: string[]) => ({ refId, kind: 'table' as const, groupBy, limit: 20 });
    const answers = await source.ask(
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
