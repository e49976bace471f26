import type { WireConfig } from './config.ts';
import type { DecoderStats } from './decoder.ts';
import { createOldest } from './oldest.ts';
import type { Session } from './sessions.ts';
import type { Template } from './templates.ts';

/** What a set needs to be decoded later as if it had just come: its datagram's header and arrival (T08). */
export interface SetHeader {
  exportMs: number;
  /** -1 when the protocol does not say. */
  uptimeMs: number;
  sequence: number;
  arrivalMs: number;
}

/** A data set without its template. */
export interface ParkedSet extends SetHeader {
  /** Counts up with every set. */
  readonly order: number;
  readonly session: Session;
  readonly id: number;
  /** The records, without the set's header. */
  readonly bytes: Uint8Array;
}

/** A parked set and the definition it is bound to: the first that came after it (T10). */
export interface ReadySet {
  readonly set: ParkedSet;
  readonly template: Template;
}

/** What waits for one template, the oldest first. */
interface Queue {
  readonly sets: ParkedSet[];
  /** Their cost. */
  bytes: number;
}

export interface Parking {
  /** Keeps a copy of the set. @returns sets that were dropped to make room */
  park(session: Session, id: number, bytes: Uint8Array, header: SetHeader): number;
  /** Binds what waits for the template's session and id. */
  release(session: Session, id: number, template: Template): void;
  next(): ReadySet | undefined;
  /** T10, T13: the exporter restarted, so its templates to come are not those of its parked data. */
  discard(session: Session): void;
  /** @returns sets lost */
  expire(nowMs: number, fallback: (session: Session, id: number) => Template | undefined): number;
  addStats(stats: DecoderStats): void;
}

/** What a parked set costs beside its bytes (measured), so that many small ones cannot take more memory than allowed. */
const OVERHEAD_BYTES = 600;
/** After this long a template of another port of the same address will do (T03): its own had time to come. */
const OWN_TEMPLATE_WAIT_MS = 30_000;

export function createParking(config: WireConfig['parking']): Parking {
  /** In the order of arrival; the first is the oldest. */
  const waiting = new Set<ParkedSet>();
  const oldestWaiting = createOldest(waiting);
  const queues = new Map<Session, Map<number, Queue>>();
  let ready: ReadySet[] = [];
  let readyFrom = 0;
  let sorted = true;
  let bytes = 0;
  let parkedTotal = 0;
  let replayedTotal = 0;
  let expiredTotal = 0;
  let evictedTotal = 0;
  let discardedTotal = 0;

  function costOf(set: ParkedSet): number {
    return set.bytes.length + OVERHEAD_BYTES;
  }

  /** Takes a set out of the waiting ones; it is always the oldest of its queue. */
  function removeOldest(set: ParkedSet): void {
    waiting.delete(set);
    bytes -= costOf(set);
    const ids = queues.get(set.session);
    const queue = ids?.get(set.id);
    if (!ids || !queue) return;
    queue.sets.shift();
    queue.bytes -= costOf(set);
    if (queue.sets.length === 0) ids.delete(set.id);
    if (ids.size === 0) queues.delete(set.session);
  }

  return {
    park(session, id, from, header) {
      const cost = from.length + OVERHEAD_BYTES;
      if (cost > config.max_bytes_per_template || cost > config.max_bytes) {
        parkedTotal++;
        evictedTotal++;
        return 1;
      }
      let ids = queues.get(session);
      if (!ids) {
        ids = new Map();
        queues.set(session, ids);
      }
      let queue = ids.get(id);
      if (!queue) {
        queue = { sets: [], bytes: 0 };
        ids.set(id, queue);
      }
      const set: ParkedSet = {
        order: parkedTotal,
        session,
        id,
        bytes: from.slice(),
        exportMs: header.exportMs,
        uptimeMs: header.uptimeMs,
        sequence: header.sequence,
        arrivalMs: header.arrivalMs,
      };
      queue.sets.push(set);
      queue.bytes += cost;
      waiting.add(set);
      bytes += cost;
      parkedTotal++;
      let dropped = 0;
      while (queue.bytes > config.max_bytes_per_template) {
        removeOldest(queue.sets[0] as ParkedSet);
        dropped++;
      }
      while (bytes > config.max_bytes) {
        const oldest = oldestWaiting();
        if (!oldest) break;
        removeOldest(oldest);
        dropped++;
      }
      evictedTotal += dropped;
      return dropped;
    },

    release(session, id, template) {
      const ids = queues.get(session);
      const queue = ids?.get(id);
      if (!ids || !queue) return;
      ids.delete(id);
      if (ids.size === 0) queues.delete(session);
      for (const set of queue.sets) {
        waiting.delete(set);
        bytes -= costOf(set);
        ready.push({ set, template });
      }
      sorted = false;
    },

    next() {
      if (!sorted) {
        // A datagram may define several templates; the records come in the order in which they arrived.
        ready = ready.slice(readyFrom).sort((a, b) => a.set.order - b.set.order);
        readyFrom = 0;
        sorted = true;
      }
      const found = ready[readyFrom];
      if (!found) return undefined;
      readyFrom++;
      replayedTotal++;
      if (readyFrom === ready.length) {
        ready.length = 0;
        readyFrom = 0;
      }
      return found;
    },

    discard(session) {
      const ids = queues.get(session);
      if (!ids) return;
      queues.delete(session);
      for (const queue of ids.values()) {
        for (const set of queue.sets) {
          waiting.delete(set);
          bytes -= costOf(set);
          discardedTotal++;
        }
      }
    },

    expire(nowMs, fallback) {
      let lost = 0;
      const released = new Map<Session, Set<number>>();
      for (const set of waiting) {
        const ageMs = nowMs - set.arrivalMs;
        if (ageMs > config.max_age_seconds * 1000) {
          removeOldest(set);
          lost++;
        } else if (ageMs > OWN_TEMPLATE_WAIT_MS) {
          const ids = released.get(set.session) ?? new Set();
          released.set(set.session, ids.add(set.id));
        } else {
          break;
        }
      }
      for (const [session, ids] of released) {
        for (const id of ids) {
          const template = fallback(session, id);
          if (template) this.release(session, id, template);
        }
      }
      expiredTotal += lost;
      return lost;
    },

    addStats(stats) {
      stats.parkedSets = waiting.size + ready.length - readyFrom;
      stats.parkedBytes = bytes;
      stats.parkedTotal = parkedTotal;
      stats.replayedTotal = replayedTotal;
      stats.expiredTotal = expiredTotal;
      stats.evictedTotal = evictedTotal;
      stats.discardedTotal = discardedTotal;
    },
  };
}
