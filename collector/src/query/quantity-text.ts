import { formatSize, type Metric } from '@ringflow/contract';
import { quantity } from './frames.ts';

const UNITS: Readonly<Record<Metric, Readonly<Record<'rate' | 'total', string>>>> = {
  bytes: { rate: 'b/s', total: 'B' },
  packets: { rate: 'p/s', total: 'packets' },
  flows: { rate: 'flows/s', total: 'flows' },
};

/**
 * A sum as people read it: `1.2 Gb/s`, `300 flows`. The node graph does not scale numbers: it shows two decimals of
 * whatever it gets (grafana.md 4.6).
 */
export function quantityText(sum: number, metric: Metric, measure: 'rate' | 'total', seconds: number): string {
  const [, digits, suffix] = /^(.*?)([kMGTP]?)$/.exec(
    formatSize(quantity(sum, metric, measure, seconds)),
  ) as unknown as [string, string, string];
  const unit = UNITS[metric][measure];
  return `${digits} ${suffix}${digits === '1' && suffix === '' ? unit.replace(/(?<=packet|flow)s$/, '') : unit}`;
}
