import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { EVENT_KINDS, type EventKind, type FlowEvent } from '@ringflow/contract';

/** A range of time, milliseconds since the epoch, [fromMs, toMs). */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What happened to the collection of flows, kept in a file of bounded length. */
export interface EventLog {
  /** Reads the file; a time without any sign of life before becomes an event. Call it once, before all others. */
  start(): void;
  /** Adds an event, or replaces the one of the same id. One more of a kind that floods is left out. */
  put(event: FlowEvent): void;
  /** Says that the collector runs; how long it did not is seen from the last time. Call it every few seconds. */
  alive(): void;
  stop(): void;
  /** Events that touch a range, oldest first. */
  list(span: Span, kinds: readonly EventKind[]): FlowEvent[];
  /** When the collector was not running. */
  downtimes(): readonly Span[];
  /** The events of a kind that have not ended, by exporter. */
  lasting(kind: EventKind): ReadonlyMap<string, FlowEvent>;
  /** Exporters of which an event of the kind is kept. */
  exporters(kind: EventKind): ReadonlySet<string>;
}

/** Events kept; the oldest are forgotten first. */
export const MAX_EVENTS = 10_000;
/** Events of one kind in an hour: who makes up exporters must not push out what matters. */
export const MAX_PER_HOUR = 200;
const HOUR_MS = 3_600_000;
/** A start sooner than this after the last sign of life is no downtime to speak of. */
const LEAST_DOWN_MS = 1000;

export interface EventLogDeps {
  readonly now: () => number;
  readonly version: string;
  /** The file cannot be read or written; the log goes on in memory. */
  readonly onError: (error: Error) => void;
}

/** @param path of the file; its time of change is the last sign of life */
export function createEventLog(path: string, { now, version, onError }: EventLogDeps): EventLog {
  const events = new Map<string, FlowEvent>();
  const recent = new Map<EventKind, { hour: number; count: number }>();
  let lines = 0;

  function attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      onError(error as Error);
    }
  }

  function read(): void {
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const event = parseEvent(line);
      if (event) events.set(event.id, event);
    }
  }

  function rewrite(): void {
    const oldestFirst = [...events.values()].sort((a, b) => a.fromMs - b.fromMs).slice(-MAX_EVENTS);
    events.clear();
    for (const event of oldestFirst) events.set(event.id, event);
    const temporary = `${path}.tmp`;
    writeFileSync(temporary, oldestFirst.map((event) => `${JSON.stringify(event)}\n`).join(''));
    renameSync(temporary, path);
    lines = oldestFirst.length;
  }

  function floods(kind: EventKind): boolean {
    const hour = Math.floor(now() / HOUR_MS);
    const seen = recent.get(kind);
    if (!seen || seen.hour !== hour) {
      recent.set(kind, { hour, count: 1 });
      return false;
    }
    return ++seen.count > MAX_PER_HOUR;
  }

  function put(event: FlowEvent): void {
    if (!events.has(event.id) && floods(event.kind)) return;
    events.set(event.id, event);
    lines++;
    attempt(() => {
      if (lines > 2 * MAX_EVENTS) rewrite();
      else appendFileSync(path, `${JSON.stringify(event)}\n`);
    });
  }

  function moment(kind: EventKind, title: string, text: string): void {
    const atMs = now();
    put({ id: `${kind}-${atMs}`, kind, fromMs: atMs, toMs: atMs, exporter: '', title, text });
  }

  return {
    put,
    start: () => {
      attempt(() => mkdirSync(dirname(path), { recursive: true }));
      let lastSignMs = 0;
      try {
        lastSignMs = Math.floor(statSync(path).mtimeMs);
        read();
        // Files are dated by a coarser clock.
        for (const { fromMs } of events.values()) lastSignMs = Math.max(lastSignMs, Math.min(fromMs, now()));
      } catch (error) {
        // The first start has no file.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') onError(error as Error);
      }
      attempt(rewrite);
      const atMs = now();
      if (lastSignMs > 0 && atMs - lastSignMs >= LEAST_DOWN_MS)
        put({
          id: `collector_down-${lastSignMs}`,
          kind: 'collector_down',
          fromMs: lastSignMs,
          toMs: atMs,
          exporter: '',
          title: 'Collector was down',
          text: `Nothing was received for ${Math.round((atMs - lastSignMs) / 1000)} s`,
        });
      moment('collector_started', 'Collector started', `Version ${version}`);
    },
    alive: () =>
      attempt(() => {
        const seconds = now() / 1000;
        utimesSync(path, seconds, seconds);
      }),
    stop: () => {
      moment('collector_stopped', 'Collector stopped', `Version ${version}`);
      attempt(() => utimesSync(path, now() / 1000, now() / 1000));
    },
    list: ({ fromMs, toMs }, kinds) =>
      [...events.values()]
        .filter((event) => kinds.includes(event.kind) && event.fromMs < toMs && (event.toMs ?? Infinity) >= fromMs)
        .sort((a, b) => a.fromMs - b.fromMs),
    downtimes: () =>
      [...events.values()].flatMap(({ kind, fromMs, toMs }) =>
        kind === 'collector_down' && toMs !== null ? [{ fromMs, toMs }] : [],
      ),
    lasting: (wanted) =>
      new Map(
        [...events.values()].flatMap((event) =>
          event.kind === wanted && event.toMs === null ? [[event.exporter, event] as const] : [],
        ),
      ),
    exporters: (wanted) =>
      new Set([...events.values()].flatMap(({ kind, exporter }) => (kind === wanted ? [exporter] : []))),
  };
}

/** An event of a line; undefined for what is none (the end of a line that a crash cut off). */
function parseEvent(line: string): FlowEvent | undefined {
  try {
    const event = JSON.parse(line) as FlowEvent;
    return EVENT_KINDS.includes(event.kind) && typeof event.fromMs === 'number' ? event : undefined;
  } catch {
    return undefined;
  }
}
