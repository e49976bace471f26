import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../../collector/src/cli/testing/collector.ts';
import { ROOT } from '../../testing/documented.ts';
import { freeTcpPort } from '../../testing/ports.ts';
import { startProgram } from '../../testing/programs.ts';
import type { Grafana } from './grafana.ts';

/** A Prometheus that scrapes a collector, as a data source. */
export interface Metrics {
  /** Of the data source. */
  readonly uid: string;
  /** Resolves when an expression has a value that is true. */
  becomes(expression: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts it with the configuration that is shipped, but every second.
 *
 * @param folder of the collector; its data and configuration go there, too
 */
export async function startMetrics(grafana: Grafana, collector: { url: string; folder: string }): Promise<Metrics> {
  const { folder } = collector;
  const file = join(folder, 'prometheus.yml');
  const config = readFileSync(join(ROOT, 'provisioning/prometheus/prometheus.yml'), 'utf8')
    .replace('127.0.0.1:8055', new URL(collector.url).host)
    .replace('scrape_interval: 15s', 'scrape_interval: 1s')
    .replaceAll('- rules/', `- ${join(ROOT, 'provisioning/prometheus/rules')}/`);
  writeFileSync(file, config);
  const port = await freeTcpPort();
  const url = `http://127.0.0.1:${port}`;
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${folder}/tsdb`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const program = startProgram('prometheus', args, folder, 900_000);
  const stopProgram = async () => {
    program.kill('SIGTERM');
    await program.ended;
  };
  try {
    const { datasource } = await grafana.api<{ datasource: { uid: string } }>('POST', '/api/datasources', {
      name: 'Prometheus of the collector',
      type: 'prometheus',
      access: 'proxy',
      url,
      jsonData: { timeInterval: '1s' },
    });
    return {
      uid: datasource.uid,
      becomes: async (expression) => {
        const asked = `${url}/api/v1/query?query=${encodeURIComponent(expression)}`;
        await until(
          async () => (await (await fetch(asked).catch(() => undefined))?.text())?.includes('"value"'),
          90_000,
          () => `${expression}\n${program.output()}`,
        );
      },
      stop: async () => {
        await grafana.api('DELETE', `/api/datasources/uid/${datasource.uid}`);
        await stopProgram();
      },
    };
  } catch (error) {
    await stopProgram();
    throw error;
  }
}
