import { join } from 'node:path';
import { createEventLog, createEventWatch, type EventLog, type EventWatch } from '../../events/index.ts';
import type { NameLookup } from '../../query/index.ts';
import type { Log } from '../log.ts';
import { VERSION } from '../version.ts';

/** What happened to the collection of flows: the log in the data directory, and who writes it. */
export interface CollectorEvents extends Pick<EventLog, 'list' | 'downtimes' | 'alive'> {
  start(): void;
  stop(): void;
  readonly watch: EventWatch;
}

export function createCollectorEvents(
  dataDirectory: string,
  { names, now, log }: { readonly names: NameLookup; readonly now: () => number; readonly log: Log },
): CollectorEvents {
  const events = createEventLog(join(dataDirectory, 'events.ndjson'), {
    now,
    version: VERSION,
    onError: (error) => log.warn({ err: error }, 'events cannot be kept'),
  });
  let watch: EventWatch | null = null;
  let downtimes: ReturnType<EventLog['downtimes']> = [];
  return {
    start: () => {
      events.start();
      watch = createEventWatch(events, { now, nameOf: names.exporter });
      // They come about at a start, and nowhere else.
      downtimes = events.downtimes();
    },
    // Before the start there is nothing to end.
    stop: () => {
      if (watch) events.stop();
      watch = null;
    },
    watch: { inlet: (status) => watch?.inlet(status), dropped: (drops) => watch?.dropped(drops) },
    alive: () => {
      if (watch) events.alive();
    },
    list: events.list,
    downtimes: () => downtimes,
  };
}
