import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFile, ROOT } from './documented.ts';
import { freeTcpPort } from './ports.ts';
import { startProgram } from './programs.ts';

/** A Prometheus that scrapes a collector. */
export interface Prometheus {
  readonly url: string;
  /** What it has written. */
  output(): string;
  stop(): Promise<void>;
}

interface PrometheusOptions {
  /** Of the collector. */
  readonly target: string;
  /** For its configuration and its data. */
  readonly folder: string;
  /** After which it is killed. */
  readonly timeoutMs: number;
  /** Folder of its rules; default: those that are shipped. */
  readonly rules?: string;
}

/** Starts it with the configuration that is shipped, but with seconds for its intervals. */
export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const { target, folder, timeoutMs, rules = join(ROOT, 'provisioning/prometheus/rules') } = options;
  const file = join(folder, 'prometheus.yml');
  writeFileSync(
    file,
    projectFile('provisioning/prometheus/prometheus.yml')
      .replace('127.0.0.1:8055', new URL(target).host)
      .replace('scrape_interval: 15s', 'scrape_interval: 1s')
      .replace('evaluation_interval: 15s', 'evaluation_interval: 1s')
      .replaceAll('- rules/', `- ${rules}/`),
  );
  const port = await freeTcpPort();
  const program = startProgram(
    'prometheus',
    [`--config.file=${file}`, `--storage.tsdb.path=${folder}/tsdb`, `--web.listen-address=127.0.0.1:${port}`],
    folder,
    timeoutMs,
  );
  return {
    url: `http://127.0.0.1:${port}`,
    output: program.output,
    stop: async () => {
      program.kill('SIGTERM');
      await program.ended;
    },
  };
}
