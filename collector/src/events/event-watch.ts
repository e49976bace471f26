import type { DropCount, FlowEvent } from '@ringflow/contract';
import type { InletStatus } from '../inlet/index.ts';
import type { EventLog } from './event-log.ts';

/** Makes events of what inlet and ledger report. */
export interface EventWatch {
  /** Call with every status of the inlet. */
  inlet(status: Pick<InletStatus, 'exporters'>): void;
  /** Call with what was dropped since the data directory was made, whenever it is known. */
  dropped(drops: readonly DropCount[]): void;
}

export interface EventWatchDeps {
  readonly now: () => number;
  /** Name of an exporter; undefined when it has none. */
  readonly nameOf: (address: string) => string | undefined;
}

/** An exporter is called silent after this long; most send templates or options more often. */
export const SILENT_MS = 300_000;
/** The first templates of an exporter are no change. */
const SETTLED_MS = 60_000;
/** Drops this close together are one event. */
const SAME_DROP_MS = 60_000;
/** An event that goes on is written down no more often than this. */
const WRITE_MS = 10_000;

/** What is followed of one exporter, over all its sessions. */
interface Followed {
  restarts: number;
  templates: number;
  firstSeenMs: number;
}

interface Dropping {
  event: FlowEvent;
  records: number;
  lastMs: number;
  writtenMs: number;
}

export function createEventWatch(log: EventLog, { now, nameOf }: EventWatchDeps): EventWatch {
  const followed = new Map<string, Followed>();
  const known = new Set(log.exporters('exporter_new'));
  const silent = new Map(log.lasting('exporter_silent'));
  const dropping = new Map<string, Dropping>();
  let totals: ReadonlyMap<string, number> | null = null;

  const shown = (exporter: string): string => nameOf(exporter) ?? exporter;

  function moment(kind: FlowEvent['kind'], exporter: string, title: string, text: string): void {
    const atMs = now();
    log.put({ id: `${kind}-${exporter}-${atMs}`, kind, fromMs: atMs, toMs: atMs, exporter, title, text });
  }

  function inlet({ exporters: { exporters } }: Pick<InletStatus, 'exporters'>): void {
    const sums = new Map<string, Followed & { lastSeenMs: number; said: boolean }>();
    for (const session of exporters) {
      const sum = sums.get(session.exporter) ?? {
        restarts: 0,
        templates: 0,
        firstSeenMs: session.firstSeenMs,
        lastSeenMs: 0,
        said: false,
      };
      sums.set(session.exporter, sum);
      // A restart that the decoder knows of is also one of the sequence.
      sum.restarts += Math.max(session.restarts, session.sequence.resets);
      sum.templates += session.templates;
      sum.firstSeenMs = Math.min(sum.firstSeenMs, session.firstSeenMs);
      sum.lastSeenMs = Math.max(sum.lastSeenMs, session.lastSeenMs);
      sum.said ||= session.records > 0 || session.otherRecords > 0 || session.templates > 0;
    }
    for (const [exporter, sum] of sums) {
      // Whoever sends something that is no flow export is no exporter.
      if (!sum.said) continue;
      noteExporter(exporter, sum);
      followed.set(exporter, sum);
    }
    // Sessions that are no longer listed begin anew when they come back.
    for (const exporter of followed.keys()) if (!sums.has(exporter)) followed.delete(exporter);
  }

  function noteExporter(exporter: string, sum: Followed & { lastSeenMs: number }): void {
    if (!known.has(exporter)) {
      known.add(exporter);
      moment('exporter_new', exporter, `New exporter ${shown(exporter)}`, 'Its first flow export was received');
    }
    noteSilence(exporter, sum.lastSeenMs);
    const before = followed.get(exporter);
    // Fewer than before: the inlet began anew, and with it what it counts.
    if (!before || sum.restarts < before.restarts || sum.templates < before.templates) return;
    const restarts = sum.restarts - before.restarts;
    if (restarts > 0)
      moment(
        'exporter_restarted',
        exporter,
        `Exporter ${shown(exporter)} restarted`,
        restarts === 1 ? 'Its sequence numbers began anew' : `Its sequence numbers began anew ${restarts} times`,
      );
    const templates = sum.templates - before.templates;
    if (templates > 0 && now() - sum.firstSeenMs > SETTLED_MS)
      moment(
        'templates_changed',
        exporter,
        `Exporter ${shown(exporter)} changed its templates`,
        `${templates} ${templates === 1 ? 'template was' : 'templates were'} defined anew`,
      );
  }

  function noteSilence(exporter: string, lastSeenMs: number): void {
    const open = silent.get(exporter);
    const isSilent = now() - lastSeenMs > SILENT_MS;
    if (isSilent && !open) {
      const event: FlowEvent = {
        id: `exporter_silent-${exporter}-${lastSeenMs}`,
        kind: 'exporter_silent',
        fromMs: lastSeenMs,
        toMs: null,
        exporter,
        title: `Exporter ${shown(exporter)} is silent`,
        text: 'Nothing is received from it',
      };
      silent.set(exporter, event);
      log.put(event);
    } else if (!isSilent && open) {
      silent.delete(exporter);
      const seconds = Math.round((lastSeenMs - open.fromMs) / 1000);
      log.put({
        ...open,
        toMs: lastSeenMs,
        title: `Exporter ${shown(exporter)} was silent`,
        text: `Nothing was received from it for ${seconds} s`,
      });
    }
  }

  function dropped(drops: readonly DropCount[]): void {
    const current = new Map<string, number>();
    for (const { reason, records } of drops) current.set(reason, (current.get(reason) ?? 0) + records);
    const atMs = now();
    if (totals) {
      for (const [reason, records] of current) {
        const more = records - (totals.get(reason) ?? 0);
        if (more > 0) noteDrop(reason, more, atMs);
      }
    }
    totals = current;
    for (const [reason, one] of dropping) {
      if (atMs - one.lastMs < SAME_DROP_MS) continue;
      dropping.delete(reason);
      writeDrop(one);
    }
  }

  function noteDrop(reason: string, records: number, atMs: number): void {
    const one: Dropping = dropping.get(reason) ?? {
      event: {
        id: `data_dropped-${reason}-${atMs}`,
        kind: 'data_dropped',
        fromMs: atMs,
        toMs: atMs,
        exporter: '',
        title: `Records were dropped: ${reason}`,
        text: '',
      },
      records: 0,
      lastMs: atMs,
      writtenMs: 0,
    };
    dropping.set(reason, one);
    one.records += records;
    one.lastMs = atMs;
    if (atMs - one.writtenMs < WRITE_MS) return;
    one.writtenMs = atMs;
    writeDrop(one);
  }

  function writeDrop({ event, records, lastMs }: Dropping): void {
    log.put({ ...event, toMs: lastMs, text: `${records} records that were received are not in the store` });
  }

  return { inlet, dropped };
}
