import { setTimeout as sleep } from 'node:timers/promises';
import type { FlowQueryInput } from '@ringflow/contract';
import type { Collector } from './collector.ts';

/** What a dashboard's panels ask, and over how many seconds. */
const QUESTIONS: readonly { readonly name: string; readonly query: FlowQueryInput; readonly seconds: number }[] = [
  { name: 'time series, total, 15 min', query: { kind: 'timeseries' }, seconds: 900 },
  { name: 'time series by protocol, 1 h', query: { kind: 'timeseries', groupBy: ['proto'] }, seconds: 3600 },
  { name: 'time series by service, 24 h', query: { kind: 'timeseries', groupBy: ['service'] }, seconds: 86_400 },
  { name: 'top interfaces, 1 h', query: { kind: 'table', groupBy: ['sampler_address', 'in_if'] }, seconds: 3600 },
  { name: 'top pairs of AS, 30 d', query: { kind: 'table', groupBy: ['src_as', 'dst_as'] }, seconds: 30 * 86_400 },
  { name: 'top sources, 1 min', query: { kind: 'table', groupBy: ['src_addr'] }, seconds: 60 },
  { name: 'latest records', query: { kind: 'records', filter: 'dst_port = 443' }, seconds: 30 },
  { name: 'totals, 1 h', query: { kind: 'stat' }, seconds: 3600 },
];

/** How a question was answered. */
export interface Answers {
  readonly name: string;
  readonly milliseconds: number[];
  readonly errors: string[];
}

/** Opens the dashboard every `everyMs`: all questions, one after the other, until `stop`. */
export function watchDashboards(collector: Collector, everyMs: number): { stop(): Promise<readonly Answers[]> } {
  const answers = QUESTIONS.map(({ name }): Answers => ({ name, milliseconds: [], errors: [] }));
  const stopping = new AbortController();
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      for (const [index, { query, seconds }] of QUESTIONS.entries()) {
        const answer = answers[index] as Answers;
        const beganMs = performance.now();
        try {
          await collector.query(query, seconds);
          answer.milliseconds.push(performance.now() - beganMs);
        } catch (error) {
          answer.errors.push((error as Error).message);
        }
      }
      await sleep(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await loop;
      return answers;
    },
  };
}
