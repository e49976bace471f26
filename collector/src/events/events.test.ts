import { appendFileSync, mkdtempSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EVENT_KINDS, type FlowEvent } from '@ringflow/contract';
import type { InletStatus } from '../inlet/index.ts';
import { MAX_EVENTS, MAX_PER_HOUR } from './event-log.ts';
import { createEventLog, createEventWatch, type EventLog } from './index.ts';

const T0 = Date.UTC(2026, 0, 10, 12);
const MINUTE = 60_000;
const ALL = { fromMs: 0, toMs: Infinity };

let directory = '';
let path = '';
let clock = T0;
let errors: Error[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ringflow-events-'));
  path = join(directory, 'new', 'events.ndjson');
  clock = T0;
  errors = [];
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
  expect(errors).toEqual([]);
});

const openLog = (): EventLog => {
  const log = createEventLog(path, { now: () => clock, version: '1.0', onError: (error) => errors.push(error) });
  log.start();
  return log;
};
const kindsOf = (log: EventLog): string[] => log.list(ALL, EVENT_KINDS).map(({ kind }) => kind);
const event = (id: string, more: Partial<FlowEvent> = {}): FlowEvent => ({
  id,
  kind: 'exporter_new',
  fromMs: clock,
  toMs: clock,
  exporter: '192.0.2.1',
  title: id,
  text: '',
  ...more,
});

describe('log', () => {
  test('a stop and a later start leave the time between as downtime', () => {
    const first = openLog();
    clock += 10 * MINUTE;
    first.stop();
    clock += 5 * MINUTE;
    const second = openLog();
    expect(second.list(ALL, EVENT_KINDS).map(({ kind, fromMs, toMs }) => [kind, fromMs, toMs])).toEqual([
      ['collector_started', T0, T0],
      ['collector_stopped', T0 + 10 * MINUTE, T0 + 10 * MINUTE],
      ['collector_down', T0 + 10 * MINUTE, T0 + 15 * MINUTE],
      ['collector_started', T0 + 15 * MINUTE, T0 + 15 * MINUTE],
    ]);
    expect(second.downtimes()).toEqual([{ fromMs: T0 + 10 * MINUTE, toMs: T0 + 15 * MINUTE }]);
  });

  test('after a kill the downtime begins at the last sign of life, and half a line is no event', () => {
    const first = openLog();
    first.put(event('kept'));
    clock += MINUTE;
    first.alive();
    appendFileSync(path, '{"id":"half","kind":"expor');
    utimesSync(path, clock / 1000, clock / 1000);
    clock += MINUTE;
    const second = openLog();
    expect(kindsOf(second)).toEqual(['collector_started', 'exporter_new', 'collector_down', 'collector_started']);
    expect(second.downtimes()).toEqual([{ fromMs: T0 + MINUTE, toMs: T0 + 2 * MINUTE }]);
    expect(readFileSync(path, 'utf8')).not.toContain('half');
  });

  test('an event of the same id replaces the one before, also after a start', () => {
    const log = openLog();
    log.put(event('silence', { kind: 'exporter_silent', toMs: null }));
    expect(log.lasting('exporter_silent').get('192.0.2.1')?.id).toBe('silence');
    log.put(event('silence', { kind: 'exporter_silent', toMs: clock + MINUTE }));
    expect(log.lasting('exporter_silent').size).toBe(0);
    expect(openLog().list(ALL, ['exporter_silent'])).toEqual([
      event('silence', { kind: 'exporter_silent', toMs: T0 + MINUTE }),
    ]);
  });

  test('lists what touches a range, and what has not ended touches all that follows', () => {
    const log = openLog();
    log.put(event('before', { fromMs: T0 - 3 * MINUTE, toMs: T0 - 2 * MINUTE }));
    log.put(event('into', { fromMs: T0 - 3 * MINUTE, toMs: T0 + MINUTE }));
    log.put(event('open', { fromMs: T0 - 2 * MINUTE, toMs: null }));
    log.put(event('after', { fromMs: T0 + 9 * MINUTE, toMs: T0 + 9 * MINUTE }));
    const found = log.list({ fromMs: T0, toMs: T0 + 5 * MINUTE }, ['exporter_new']);
    expect(found.map(({ id }) => id)).toEqual(['into', 'open']);
  });

  test('whoever makes up exporters pushes out nothing, and the file is bounded', () => {
    const log = openLog();
    for (let n = 0; n < MAX_PER_HOUR + 50; n++) log.put(event(`new ${n}`));
    log.put(event('drop', { kind: 'data_dropped' }));
    expect(log.list(ALL, ['exporter_new'])).toHaveLength(MAX_PER_HOUR);
    expect(log.list(ALL, ['data_dropped'])).toHaveLength(1);
    for (let n = 0; n < 2 * MAX_EVENTS + 100; n++) log.put(event('drop', { kind: 'data_dropped', toMs: clock + n }));
    expect(readFileSync(path, 'utf8').split('\n').length).toBeLessThan(MAX_EVENTS);
    expect(log.list(ALL, ['data_dropped'])[0]?.toMs).toBe(clock + 2 * MAX_EVENTS + 99);
  });
});

describe('watch', () => {
  type Session = InletStatus['exporters']['exporters'][number];
  const session = (more: Partial<Session> & { resets?: number }): Session =>
    ({
      exporter: '192.0.2.1',
      records: 5,
      otherRecords: 0,
      templates: 1,
      restarts: 0,
      firstSeenMs: T0,
      lastSeenMs: clock,
      sequence: { resets: more.resets ?? 0 },
      ...more,
    }) as Session;
  const status = (...sessions: Session[]): Pick<InletStatus, 'exporters'> =>
    ({ exporters: { exporters: sessions } }) as unknown as Pick<InletStatus, 'exporters'>;
  const open = (log: EventLog): ReturnType<typeof createEventWatch> =>
    createEventWatch(log, { now: () => clock, nameOf: (address) => (address === '192.0.2.1' ? 'edge1' : undefined) });
  const seen = (log: EventLog): unknown[] =>
    log
      .list(
        ALL,
        EVENT_KINDS.filter((kind) => !kind.startsWith('collector')),
      )
      .map(({ kind, fromMs, toMs, title }) => [
        kind,
        (fromMs - T0) / MINUTE,
        toMs === null ? null : (toMs - T0) / MINUTE,
        title,
      ]);

  test('new, restarted, changed, silent and back', () => {
    const log = openLog();
    const watch = open(log);
    watch.inlet(status(session({}), session({ exporter: '192.0.2.9', records: 0, templates: 0 })));
    clock += MINUTE;
    watch.inlet(status(session({ resets: 1 })));
    clock += 2 * MINUTE;
    watch.inlet(status(session({ resets: 1, templates: 3 })));
    const lastSeenMs = clock;
    clock += 6 * MINUTE;
    watch.inlet(status(session({ resets: 1, templates: 3, lastSeenMs })));
    expect(seen(log)).toEqual([
      ['exporter_new', 0, 0, 'New exporter edge1'],
      ['exporter_restarted', 1, 1, 'Exporter edge1 restarted'],
      ['templates_changed', 3, 3, 'Exporter edge1 changed its templates'],
      ['exporter_silent', 3, null, 'Exporter edge1 is silent'],
    ]);
    // A new collector, and a new inlet, that has just heard from it again.
    const later = openLog();
    clock += MINUTE;
    open(later).inlet(status(session({ resets: 0, templates: 0, lastSeenMs: clock })));
    expect(seen(later)).toContainEqual(['exporter_silent', 3, 10, 'Exporter edge1 was silent']);
    expect(later.list(ALL, ['exporter_new'])).toHaveLength(1);
  });

  test('drops that follow each other are one event with all of their records', () => {
    const log = openLog();
    const watch = open(log);
    const drop = (records: number): void =>
      watch.dropped([
        { reason: 'spool_full', exporter: '192.0.2.1', records },
        { reason: 'spool_full', exporter: '192.0.2.2', records: 7 },
      ]);
    // What was dropped before this start is known already.
    drop(100);
    expect(seen(log)).toEqual([]);
    for (const records of [110, 130, 150]) {
      clock += 5000;
      drop(records);
    }
    clock += 2 * MINUTE;
    drop(150);
    const [only, ...more] = log.list(ALL, ['data_dropped']);
    expect(more).toEqual([]);
    expect(only).toMatchObject({
      fromMs: T0 + 5000,
      toMs: T0 + 15_000,
      title: 'Records were dropped: spool_full',
      text: '50 records that were received are not in the store',
    });
  });
});
