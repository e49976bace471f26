import { until } from '../../../collector/src/cli/testing/collector.ts';
import { startPrometheus } from '../../testing/prometheus.ts';
import type { Grafana } from './grafana.ts';

/** A Prometheus that scrapes a collector, as a data source. */
export interface Metrics {
  /** Of the data source. */
  readonly uid: string;
  /** Resolves when an expression has a value that is true. */
  becomes(expression: string): Promise<void>;
  stop(): Promise<void>;
}

/** @param collector whose folder takes its data and configuration, too */
export async function startMetrics(grafana: Grafana, collector: { url: string; folder: string }): Promise<Metrics> {
  const prometheus = await startPrometheus({ target: collector.url, folder: collector.folder, timeoutMs: 900_000 });
  const { url } = prometheus;
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
          () => `${expression}\n${prometheus.output()}`,
        );
      },
      stop: async () => {
        await grafana.api('DELETE', `/api/datasources/uid/${datasource.uid}`);
        await prometheus.stop();
      },
    };
  } catch (error) {
    await prometheus.stop();
    throw error;
  }
}
