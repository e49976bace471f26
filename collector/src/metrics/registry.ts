import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import {
  METRICS,
  type CounterName,
  type GaugeName,
  type HistogramName,
  type LabelsOf,
  type MetricName,
} from './definitions.ts';

/** The series of `definitions.ts`, typed by name and labels. */
export interface Metrics {
  add<N extends CounterName>(name: N, labels: LabelsOf<N>, amount?: number): void;
  /**
   * Brings a counter to a total that another process keeps; `source` is that process. A total that went down counts
   * as a restart from zero, and so does everything after `forget(source)`.
   */
  total<N extends CounterName>(name: N, labels: LabelsOf<N>, total: number, source: string): void;
  forget(source: string): void;
  set<N extends GaugeName>(name: N, labels: LabelsOf<N>, value: number): void;
  /** Takes all series of a gauge away, before it is set anew from a complete list. */
  clear(name: GaugeName): void;
  observe<N extends HistogramName>(name: N, labels: LabelsOf<N>, value: number): void;
  /** The text that `/metrics` answers with. */
  text(): Promise<string>;
  readonly contentType: string;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const counters = new Map<MetricName, Counter>();
  const gauges = new Map<MetricName, Gauge>();
  const histograms = new Map<MetricName, Histogram>();
  for (const definition of METRICS) {
    const { name, help } = definition;
    const options = { name, help, labelNames: [...definition.labels], registers: [registry] };
    if (definition.type === 'counter') counters.set(name, new Counter(options));
    else if (definition.type === 'gauge') gauges.set(name, new Gauge(options));
    else histograms.set(name, new Histogram({ ...options, buckets: [...definition.buckets] }));
  }
  /** source → series → the last total. */
  const totals = new Map<string, Map<string, number>>();

  const add: Metrics['add'] = (name, labels, amount = 1) => counters.get(name)?.inc(labels, amount);
  return {
    add,
    total: (name, labels, total, source) => {
      const known = totals.get(source) ?? new Map<string, number>();
      totals.set(source, known);
      const key = JSON.stringify([name, labels]);
      const last = known.get(key) ?? 0;
      known.set(key, total);
      // A series with no events yet is shown as 0, so that rate() sees its first one.
      add(name, labels, total >= last ? total - last : total);
    },
    forget: (source) => totals.delete(source),
    set: (name, labels, value) => gauges.get(name)?.set(labels, value),
    clear: (name) => gauges.get(name)?.reset(),
    observe: (name, labels, value) => histograms.get(name)?.observe(labels, value),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
