import { COLUMNS, FLOW_TYPES } from '@ringflow/contract';
import type { Batch, DatagramInfo, Decoder } from '../wire/index.ts';
import { arrivalOfRow, correctTimes, createClock, observeClock } from './clock.ts';
import type { Exporters } from './exporters.ts';
import type { DatagramSink } from './receiver.ts';
import type { Session } from './sessions.ts';

/** Datagrams to rows: admits the sender, decodes, corrects clocks, enriches, and says when a batch is due. */
export interface Filler extends DatagramSink {
  /** The batch was reset. */
  emptied(): void;
  /** Drops what expired in the decoder; parked data may be decoded with another port's template instead (T03). */
  expire(): void;
  /** Runs the enrichment over the rows that have not had it. */
  finish(): void;
  totals(): FillerTotals;
}

/** Since start. */
export interface FillerTotals {
  readonly datagrams: number;
  readonly records: number;
  /** Options and counter records. */
  readonly otherRecords: number;
  /** Rows that were parked until their template came. */
  readonly replayedRecords: number;
  readonly templateChanges: number;
  /** Datagrams at which the decoder failed: a bug of ours, counted and survived (X01). */
  readonly decoderFaults: number;
  readonly losses: Float64Array;
}

export interface FillerConfig {
  readonly rowLimit: number;
  readonly clockThresholdMs: number;
}

export interface FillerDeps {
  readonly decoder: Decoder;
  readonly info: DatagramInfo;
  readonly exporters: Exporters;
  readonly enrich: (batch: Batch, from: number, to: number) => void;
  readonly now: () => number;
  /** The batch holds `rowLimit` rows or more: seal and reset it and call `emptied` before returning. */
  readonly onFull: () => void;
  /** The batch got its first row. */
  readonly onFirstRow: () => void;
  /** Templates or options came: the decoder has changes that must be kept. */
  readonly onChanges: () => void;
  readonly onFault: (error: unknown) => void;
}

const SAMPLING_RATE = COLUMNS.findIndex((column) => column.name === 'sampling_rate');

export function createFiller(config: FillerConfig, deps: FillerDeps, batch: Batch): Filler {
  const { decoder, info, exporters } = deps;
  const totals = {
    datagrams: 0,
    records: 0,
    otherRecords: 0,
    replayedRecords: 0,
    templateChanges: 0,
    decoderFaults: 0,
    losses: new Float64Array(info.losses.length),
  };
  let enrichedRows = 0;
  /** Sessions with new rows, and the last one of each: which rate is used for it is known when it is enriched. */
  const rated: Session[] = [];
  const ratedRows: number[] = [];
  /** One clock reading per group of datagrams; NaN = not read yet. */
  let nowMs = Number.NaN;
  let changed = false;

  function datagram(bytes: Uint8Array, address: Int32Array, at: number, port: number): void {
    if (Number.isNaN(nowMs)) nowMs = deps.now();
    totals.datagrams++;
    const source = exporters.admit(address, at, port, nowMs);
    if (!source) return;
    const from = batch.rows;
    let rows: number;
    try {
      rows = decoder.decode(bytes, source, nowMs, batch, info);
    } catch (error) {
      undo(from);
      deps.onFault(error);
      return;
    }
    const session = exporters.book(source, info, bytes.length, rows, nowMs);
    count(rows);
    if (info.exportTimeMs > 0 && info.type !== FLOW_TYPES.FLOWUNKNOWN) {
      const offsetMs = observeClock(session.clock, info.exportTimeMs, nowMs, config.clockThresholdMs);
      if (rows > 0 && Math.abs(offsetMs) > config.clockThresholdMs)
        correctTimes(session.clock, offsetMs, batch, from, batch.rows);
    }
    if (rows > 0) {
      if (rated[rated.length - 1] !== session) rated.push(session);
      ratedRows[rated.length - 1] = batch.rows - 1;
    }
    if (info.templatesSeen > 0 || info.templates > 0 || info.otherRecords > 0) changed = true;
    const templates = info.templates;
    grown(from);
    if (templates > 0) replayParked(session);
  }

  /** Data that waited for its template (T08); its records are counted for the session whose datagram set them free. */
  function replayParked(session: Session | null): void {
    for (;;) {
      const from = batch.rows;
      let rows: number;
      try {
        rows = decoder.replay(batch, info);
      } catch (error) {
        undo(from);
        deps.onFault(error);
        return;
      }
      if (rows < 0) return;
      count(rows);
      totals.replayedRecords += rows;
      if (session) session.records += rows;
      if (rows > 0 && info.exportTimeMs > 0) {
        // By the datagram's own difference: the estimate of its session may have moved on.
        const offsetMs = arrivalOfRow(batch, from) - info.exportTimeMs;
        if (Math.abs(offsetMs) > config.clockThresholdMs)
          correctTimes(createClock(), offsetMs, batch, from, batch.rows);
      }
      grown(from);
    }
  }

  function count(rows: number): void {
    totals.records += rows;
    totals.otherRecords += info.otherRecords;
    totals.templateChanges += info.templates;
    for (let reason = 0; reason < totals.losses.length; reason++) {
      totals.losses[reason] = (totals.losses[reason] as number) + (info.losses[reason] as number);
    }
  }

  function grown(from: number): void {
    if (batch.rows === from) return;
    if (from === 0) deps.onFirstRow();
    if (batch.rows >= config.rowLimit) deps.onFull();
  }

  /** Takes back rows that were half written: the columns must be zero behind the last row. */
  function undo(rows: number): void {
    totals.decoderFaults++;
    batch.rows = rows;
    for (const data of batch.data) if (data) data.fill(0, (data.length / batch.capacity) * rows);
  }

  function finish(): void {
    if (enrichedRows < batch.rows) deps.enrich(batch, enrichedRows, batch.rows);
    enrichedRows = batch.rows;
    const rates = batch.data[SAMPLING_RATE];
    for (let i = 0; i < rated.length; i++) (rated[i] as Session).samplingRate = rates?.[ratedRows[i] as number] ?? 0;
    rated.length = 0;
  }

  return {
    datagram,
    settled() {
      nowMs = Number.NaN;
      // While the rows are still in the processor's cache.
      finish();
      if (changed) {
        changed = false;
        deps.onChanges();
      }
    },
    emptied() {
      enrichedRows = 0;
    },
    expire() {
      decoder.expire(deps.now());
      replayParked(null);
      finish();
      deps.onChanges();
    },
    finish,
    totals: () => totals,
  };
}
