import { rememberTaken, RingflowError, type DropCount, type LedgerDelta, type TakenBatch } from '@ringflow/contract';
import type { Delivery, Receipt } from '../ingest/index.ts';
import type { Batch, PackedBatch } from '../wire/index.ts';
import type { SegmentWriter } from './inlet.ts';

/** Records that another collector decoded: enriched, sealed and counted like those that came in datagrams. */
export interface Intake {
  /** Opens the spool, and learns what was taken before. */
  start(): Promise<void>;
  /**
   * Takes the records that were not taken before, all of them together. Resolves when they are on disk.
   *
   * @throws RingflowError `ingest_unavailable` when the spool is full or the inlet ends, `ingest_conflict` when a
   * source goes on with other records than it began with
   */
  take(delivery: Delivery): Promise<Receipt>;
  /** How far a source has come: its records that were taken, and the link of the last one. */
  progress(source: string): { readonly records: number; readonly link: string };
  /** Seals what was taken and takes nothing more. */
  stop(): Promise<void>;
  /** Records that are in memory. */
  waitingRecords(): number;
}

export interface IntakeDeps {
  /** Of its own: rows wait in here for fractions of a second. */
  readonly batch: Batch;
  /** Appends the rows from `from` on. */
  readonly append: (batch: Batch, rows: PackedBatch, from: number) => void;
  readonly reset: (batch: Batch) => void;
  readonly enrich: (batch: Batch, from: number, to: number) => void;
  /** Books the rows under their exporters. */
  readonly book: (batch: Batch, from: number, to: number) => void;
  /** Of its own: a segment belongs to one writer. */
  readonly spool: SegmentWriter;
  /** What is remembered on disk; asked once, after the spool was opened. */
  readonly taken: () => Promise<readonly TakenBatch[]>;
  readonly onSealed: (segment: string, rows: number, ledger: LedgerDelta) => void;
}

/** Between two seals: each costs a sync and an insert, however few rows it holds. */
const SEAL_EVERY_MS = 200;
/** Rows that are sealed at once. */
export const INTAKE_ROWS = 50_000;
const LINK_BYTES = 16;

/** What goes into one segment. */
interface Group {
  readonly taken: TakenBatch[];
  readonly dropped: DropCount[];
  readonly sealed: Promise<boolean>;
  settle(sealed: Promise<boolean>): void;
}

export function createIntake(deps: IntakeDeps): Intake {
  const { batch, spool } = deps;
  let window: TakenBatch[] = [];
  let group: Group | null = null;
  /** Of the last group: a repeat of what is on its way to the disk waits for it. */
  let lastSealed: Promise<boolean> = Promise.resolve(true);
  let timer: NodeJS.Timeout | null = null;
  let lastSealMs = Number.NEGATIVE_INFINITY;
  let stopped = false;

  /** Records at the beginning of the delivery that were taken before. */
  function repeatedOf({ links, records, source }: Delivery): number {
    if (source) return repeatedOfSource(source, links, records);
    let most = 0;
    for (const entry of window) {
      if (entry.source === '' && entry.records > most && entry.records <= records)
        if (linkAt(links, entry.records - 1) === entry.hash) most = entry.records;
    }
    return most;
  }

  function repeatedOfSource(source: NonNullable<Delivery['source']>, links: Uint8Array, records: number): number {
    const known = progress(source.id);
    const repeated = known.records - source.offset;
    if (repeated < 0)
      throw conflict(`${known.records} records of the source were taken, these begin at ${source.offset}`);
    const link = repeated === 0 ? source.link : repeated <= records ? linkAt(links, repeated - 1) : known.link;
    if (known.records > 0 && link !== known.link) throw conflict('The source sent other records before');
    return Math.min(repeated, records);
  }

  function progress(source: string): { records: number; link: string } {
    const entry = window.find((one) => one.source === source);
    return { records: entry?.records ?? 0, link: entry?.hash ?? '' };
  }

  async function take(delivery: Delivery): Promise<Receipt> {
    if (stopped) throw unavailable('The collector is stopping');
    const repeated = repeatedOf(delivery);
    const { records, unusable, links, source, rows } = delivery;
    if (repeated === records) {
      if (!(await (group?.sealed ?? lastSealed))) throw unavailable('The collector is stopping');
      return { repeated, stored: 0, dropped: 0 };
    }
    if (spool.full()) throw unavailable('The spool is full');
    const dropped = unusable.filter(({ index }) => index >= repeated);
    const skippedRows = repeated - (unusable.length - dropped.length);
    const from = batch.rows;
    deps.append(batch, rows, skippedRows);
    const stored = batch.rows - from;
    deps.book(batch, from, batch.rows);
    const current = (group ??= openGroup());
    for (const { exporter } of dropped) current.dropped.push({ reason: 'not_understood', exporter, records: 1 });
    const entry: TakenBatch = source
      ? { source: source.id, records: source.offset + records, hash: linkAt(links, records - 1) }
      : { source: '', records, hash: linkAt(links, records - 1) };
    current.taken.push(entry);
    window = rememberTaken(window, [entry]);
    if (batch.rows >= INTAKE_ROWS) seal();
    else timer ??= setTimeout(seal, Math.max(0, lastSealMs + SEAL_EVERY_MS - performance.now()));
    if (!(await current.sealed)) throw unavailable('The collector is stopping');
    return { repeated, stored, dropped: dropped.length };
  }

  function openGroup(): Group {
    let settle: Group['settle'] = () => undefined;
    const sealed = new Promise<boolean>((resolve) => (settle = resolve));
    return { taken: [], dropped: [], sealed, settle };
  }

  function seal(): void {
    if (timer) clearTimeout(timer);
    timer = null;
    if (!group) return;
    const { taken, dropped, settle, sealed } = group;
    group = null;
    lastSealMs = performance.now();
    deps.enrich(batch, 0, batch.rows);
    const drops = summed(dropped);
    const delta: LedgerDelta = { received: batch.rows + dropped.length, rows: batch.rows, dropped: drops, taken };
    const { id, rows, sealed: done } = spool.seal(batch, delta);
    deps.reset(batch);
    lastSealed = sealed;
    settle(done);
    void done.then((isSafe) => isSafe && deps.onSealed(id, rows, delta));
  }

  return {
    start: async () => {
      await spool.start();
      window = rememberTaken([], await deps.taken());
    },
    take,
    progress,
    stop: async () => {
      stopped = true;
      seal();
      await spool.stop();
    },
    waitingRecords: () => batch.rows + spool.status().inFlightRows,
  };
}

function linkAt(links: Uint8Array, index: number): string {
  return Buffer.from(links.buffer, links.byteOffset + index * LINK_BYTES, LINK_BYTES).toString('hex');
}

function summed(drops: readonly DropCount[]): DropCount[] {
  const sums = new Map<string, DropCount>();
  for (const drop of drops) {
    const records = (sums.get(drop.exporter)?.records ?? 0) + drop.records;
    sums.set(drop.exporter, { ...drop, records });
  }
  return [...sums.values()];
}

function conflict(message: string): RingflowError {
  return new RingflowError('ingest_conflict', message, { hint: 'Give the source another name' });
}

function unavailable(message: string): RingflowError {
  return new RingflowError('ingest_unavailable', message, { hint: 'Send the same batch again in a second' });
}
