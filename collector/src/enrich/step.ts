import type { Batch } from '../wire/index.ts';

/** Changes or fills columns of the rows from `from` up to but not including `to`; allocates nothing per row. */
export type Step = (batch: Batch, from: number, to: number) => void;
