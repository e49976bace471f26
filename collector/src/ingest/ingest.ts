import { formatAddressBytes, parseAddress, RingflowError, type Column } from '@ringflow/contract';
import { createBatch, packBatch, resetBatch, type PackedBatch } from '../wire/index.ts';
import { CHAIN_START, formatLink, LINK_BYTES, nextLink } from './chain.ts';
import { FieldError } from './fields.ts';
import { createObjectReader, ObjectError, parseObject } from './object-reader.ts';
import { createRecordWriter, type JsonRecord } from './record-writer.ts';

/** A sender that numbers its records, so that it can go on where it stopped. */
export interface IngestSource {
  readonly id: string;
  /** Records that it sent before these. */
  readonly offset: number;
  /** The link of the last of them; see chain.ts. */
  readonly link: Uint8Array;
}

/** Records on their way to the spool. */
export interface Delivery {
  readonly rows: PackedBatch;
  /** Records, with those that are no rows. */
  readonly records: number;
  /** Records that nothing could be made of, by their place, and whose they are. */
  readonly unusable: readonly { readonly index: number; readonly exporter: string }[];
  /** One link per record. */
  readonly links: Uint8Array;
  readonly source: { readonly id: string; readonly offset: number; readonly link: string } | null;
}

/** What became of a delivery: everything is on disk, now or before. */
export interface Receipt {
  /** Records at the beginning that were taken before. */
  readonly repeated: number;
  /** Of the others. */
  readonly stored: number;
  readonly dropped: number;
}

export interface IngestBounds {
  readonly max_records: number;
  /** Bodies whose records are not on disk yet, together. */
  readonly max_waiting_bytes: number;
}

export interface IngestDeps {
  /** Columns of a row, as the inlet keeps them. */
  readonly columns: readonly Column[];
  /** Resolves once the records are on disk. */
  readonly deliver: (delivery: Delivery) => Promise<Receipt>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface IngestResult extends Receipt {
  /** Fields that no column takes and values that none can hold, by name. */
  readonly ignored: Readonly<Record<string, number>>;
}

/** Since start. */
export interface IngestStatus {
  readonly batches: Readonly<Record<'taken' | 'repeated' | 'refused', number>>;
  readonly records: Readonly<Record<'stored' | 'repeated' | 'dropped', number>>;
  readonly ignoredFields: number;
  readonly waitingBytes: number;
}

/** Takes flow records that another collector has decoded. */
export interface Ingest {
  /**
   * Takes all records of a body or none: a JSON array, lines (NDJSON), or one object. Resolves once they are on disk.
   *
   * @throws RingflowError `ingest_invalid` with the place of the mistake, `ingest_busy`, `ingest_unavailable`,
   * `ingest_conflict`
   */
  take(body: Uint8Array, source: IngestSource | null): Promise<IngestResult>;
  status(): IngestStatus;
}

/** @param bounds may change while it runs */
export function createIngest(bounds: IngestBounds, deps: IngestDeps): Ingest {
  const writer = createRecordWriter(deps.columns);
  const batch = createBatch({ rowLimit: bounds.max_records, columns: deps.columns });
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const counts = {
    batches: { taken: 0, repeated: 0, refused: 0 },
    records: { stored: 0, repeated: 0, dropped: 0 },
    ignoredFields: 0,
    waitingBytes: 0,
  };

  /** All records of a body as rows. Runs to its end in one go, so one batch does for all callers. */
  function read(body: Uint8Array, source: IngestSource | null): { delivery: Delivery; ignored: Map<string, number> } {
    const ignored = new Map<string, number>();
    const unusable: { index: number; exporter: string }[] = [];
    const links: Uint8Array[] = [];
    const nowMs = deps.now();
    resetBatch(batch);
    const reader = createObjectReader((bytes) => {
      const index = links.length;
      if (index >= bounds.max_records) throw invalid(`More than ${bounds.max_records} records`, TOO_MANY);
      const record = parse(bytes, index);
      links.push(nextLink(links[index - 1] ?? source?.link ?? CHAIN_START, bytes));
      if (!writer.isUsable(record)) {
        unusable.push({ index, exporter: exporterOf(record) });
        return;
      }
      try {
        writer.write(batch, record, nowMs, ignored);
      } catch (error) {
        if (error instanceof FieldError) throw invalid(`Record ${index}, ${error.message}`, COMPARE);
        throw error;
      }
    });
    try {
      reader.push(body);
      reader.end();
    } catch (error) {
      // The row that was being written is to be emptied too.
      batch.rows++;
      if (error instanceof ObjectError) throw invalid(`Record ${links.length}: ${error.message}`, SHAPE);
      throw error;
    }
    const allLinks = new Uint8Array(links.length * LINK_BYTES);
    links.forEach((link, index) => allLinks.set(link, index * LINK_BYTES));
    const from = source ? { ...source, link: formatLink(source.link) } : null;
    const rows = packBatch(batch);
    return { delivery: { rows, records: links.length, unusable, links: allLinks, source: from }, ignored };
  }

  function parse(bytes: Uint8Array, index: number): JsonRecord {
    try {
      return parseObject(decoder.decode(bytes));
    } catch (error) {
      throw invalid(`Record ${index} is no JSON: ${(error as Error).message.slice(0, 200)}`, SHAPE);
    }
  }

  async function take(body: Uint8Array, source: IngestSource | null): Promise<IngestResult> {
    if (counts.waitingBytes > 0 && counts.waitingBytes + body.length > bounds.max_waiting_bytes) {
      counts.batches.refused++;
      throw new RingflowError('ingest_busy', `${counts.waitingBytes} bytes wait to be written`, {
        hint: 'Send the same batch again in a second',
      });
    }
    counts.waitingBytes += body.length;
    try {
      const { delivery, ignored } = read(body, source);
      const receipt = delivery.records > 0 ? await deps.deliver(delivery) : { repeated: 0, stored: 0, dropped: 0 };
      counts.batches[receipt.repeated === delivery.records && delivery.records > 0 ? 'repeated' : 'taken']++;
      counts.records.stored += receipt.stored;
      counts.records.repeated += receipt.repeated;
      counts.records.dropped += receipt.dropped;
      for (const count of ignored.values()) counts.ignoredFields += count;
      return { ...receipt, ignored: Object.fromEntries(ignored) };
    } catch (error) {
      counts.batches.refused++;
      throw error;
    } finally {
      counts.waitingBytes -= body.length;
    }
  }

  return {
    take,
    status: () => ({ ...counts, batches: { ...counts.batches }, records: { ...counts.records } }),
  };
}

const SHAPE = 'Send an array of objects, or one object per line';
const TOO_MANY = 'Send fewer records at a time, or raise http.ingest.max_records';
const COMPARE = 'Write values as goflow2 and "ringflow decode" do';

function invalid(message: string, hint: string): RingflowError {
  return new RingflowError('ingest_invalid', message, { hint });
}

/** Whose record it is, as far as it says. */
function exporterOf(record: JsonRecord): string {
  const text = record['sampler_address'];
  const bytes = typeof text === 'string' ? parseAddress(text) : null;
  return bytes ? formatAddressBytes(bytes) : 'unknown';
}
