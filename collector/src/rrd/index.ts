export {
  consolidate,
  createSteps,
  rateOf,
  type ArchiveOptions,
  type Consolidated,
  type Consolidation,
  type Slot,
  type Steps,
} from './consolidate.ts';
export { createDumpReader, RrdError, type Archive, type DataSource, type DumpReader, type Rrd } from './dump.ts';
export { dataSourceNames, formatRrd, type RrdSeries } from './restore.ts';
export { coverOf, forEachRow, type Stretch } from './cover.ts';
