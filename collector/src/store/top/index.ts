/** Top lists: what has too many values for a ring, by the largest of each bucket (docs/architecture.md, "Rings"). */
export { createTopBatches } from './batches.ts';
export type { TopBatches } from './batches.ts';
export { createKeptSegments } from './kept-segments.ts';
export type { KeptSegments } from './kept-segments.ts';
export { createTopLists } from './lists.ts';
export type { TopListsStatus } from './lists.ts';
export {
  createTopOpen,
  createTopState,
  createTopTable,
  TOP_KEYS,
  TOP_OPEN,
  TOP_STATE,
  TOP_TABLES,
  topKeyDefinition,
} from './tables.ts';
