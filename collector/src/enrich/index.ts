import { COLUMNS, serviceName, type Column } from '@ringflow/contract';
import { createAsaStep } from './asa.ts';
import type { EnrichConfig } from './config.ts';
import { createSamplingStep } from './sampling.ts';
import { createServiceStep } from './service.ts';
import type { Step } from './step.ts';

export { ENRICH_DEFAULTS, ENRICH_SCHEMA } from './config.ts';
export type { EnrichConfig } from './config.ts';
export type { Step } from './step.ts';

/** Columns that a batch must keep for the steps: the stored ones and what only the steps need. */
export const ENRICH_COLUMNS: readonly Column[] = COLUMNS.filter(
  (column: Column) => column.stored || column.name === 'flow_id',
);

/**
 * All steps in their order, as one.
 *
 * @throws RangeError when the configuration names something that is no network or port
 */
export function createEnrich(config: EnrichConfig): Step {
  const steps: readonly Step[] = [
    // Before anything that looks at counters.
    ...(config.asa.drop_repeated_totals ? [createAsaStep()] : []),
    createSamplingStep(config.sampling.default, config.sampling.override),
    createServiceStep((proto, port) => serviceName(proto, port) !== null, config.service.ports),
  ];
  return (batch, from, to) => {
    for (const step of steps) step(batch, from, to);
  };
}
