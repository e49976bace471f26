export {
  COLUMN_INDEX,
  MAX_RECORDS_PER_DATAGRAM,
  createBatch,
  createColumnData,
  hasColumn,
  itemsPerRow,
  pushWord,
  resetBatch,
  useColumn,
  writeString,
} from './batch.ts';
export type { Batch, BatchOptions, ColumnData, Run } from './batch.ts';
export { WIRE_DEFAULTS, WIRE_SCHEMA } from './config.ts';
export type { WireConfig } from './config.ts';
export { createDecoder } from './decode.ts';
export { LOSS, LOSS_REASONS, MAX_SAMPLES, SAMPLE_WORDS, createDatagramInfo } from './decoder.ts';
export type {
  CountersRecord,
  DatagramInfo,
  DecodeSink,
  Decoder,
  DecoderStats,
  LossReason,
  OptionsField,
  OptionsRecord,
  Source,
} from './decoder.ts';
export { isEmptyCell, readCell, readStringBytes } from './cells.ts';
export type { CellValue } from './cells.ts';
export { PEN, elementName, findElement, scopeName } from './elements.ts';
export type { Element, ElementType } from './elements.ts';
export { appendPacked, packBatch } from './packed-batch.ts';
export type { PackedBatch } from './packed-batch.ts';
export { createPcapReader, readPcap } from './pcap.ts';
export type { PcapDatagram, PcapProblem, PcapReader, PcapStats } from './pcap.ts';
