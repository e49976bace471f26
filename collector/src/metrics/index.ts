export { OVERFLOW_LABEL, createBoundedLabels } from './bounded-labels.ts';
export { METRICS_DEFAULTS, METRICS_SCHEMA } from './config.ts';
export type { MetricsConfig } from './config.ts';
export { METRICS } from './definitions.ts';
export type {
  CounterName,
  GaugeName,
  HistogramName,
  LabelsOf,
  Metric,
  MetricDefinition,
  MetricName,
} from './definitions.ts';
export { createMetrics } from './registry.ts';
export type { Metrics } from './registry.ts';
