export { CHAIN_START, LINK_BYTES, formatLink, nextLink, parseLink } from './chain.ts';
export { FieldError } from './fields.ts';
export { createIngest } from './ingest.ts';
export type {
  Delivery,
  Ingest,
  IngestBounds,
  IngestDeps,
  IngestResult,
  IngestSource,
  IngestStatus,
  Receipt,
} from './ingest.ts';
export { createNfdumpCsvReader, fromNfdump, isNfdump, type NfdumpCsv } from './nfdump.ts';
export { ObjectError, createObjectReader, parseObject } from './object-reader.ts';
export { createRecordWriter } from './record-writer.ts';
export type { JsonRecord, RecordWriter } from './record-writer.ts';
