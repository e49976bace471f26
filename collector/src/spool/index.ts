export { SPOOL_DEFAULTS, SPOOL_SCHEMA } from './config.ts';
export type { SpoolConfig } from './config.ts';
export {
  createSpoolDirectory,
  freeBytes,
  markLost,
  readDelta,
  recoverAbandoned,
  recoverOpenSegment,
  removeDelta,
  removeSegment,
  scanSpool,
  sealedAtMs,
  segmentPath,
  syncDirectory,
  writeFileDurably,
} from './directory.ts';
export type { SpoolContents } from './directory.ts';
export { encodeNative, nativeSizeBound, usedColumnNames } from './native.ts';
export {
  UNKNOWN_EXPORTER,
  deltaName,
  formatSegmentName,
  lostDelta,
  mergeDeltas,
  parseDeltaName,
  parseSegmentName,
  plainDelta,
  segmentId,
} from './segment.ts';
export type { Segment, SegmentState } from './segment.ts';
export { createSpoolWriter } from './writer.ts';
export type { SealedSegment, SpoolWriter, SpoolWriterDeps, SpoolWriterOptions, SpoolWriterStatus } from './writer.ts';
