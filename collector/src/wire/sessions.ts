import type { Source } from './decoder.ts';
import { createOldest } from './oldest.ts';
import type { Rates } from './sampling.ts';
import type { Template } from './templates.ts';

/** All ports of one address that speak for the same version and domain (T03). */
export interface Group {
  readonly sessions: Set<Session>;
  /** The newest template of each id. */
  readonly newest: Map<number, Template>;
  /** systemInitTimeMilliseconds of the newest options record (C06); -1 = never heard. */
  initMs: number;
}

/** What one transport session says in one domain: the scope of template ids (T01, T02). */
export interface Session {
  readonly key: string;
  /** The caller's latest object for it; its look-up cache holds the session. */
  source: Source;
  readonly address: string;
  readonly version: number;
  readonly domain: number;
  readonly group: Group;
  readonly templates: Map<number, Template>;
  /** When the exporter booted by each of the processes that export from this port (v9-cisco-nbar has two). */
  boots: number[];
  /** Those before the last restart. */
  oldBoots: number[];
  uptimeMs: number;
  sequence: number;
  seen: boolean;
  /** Came from disk and has not been heard of since (T12). */
  restored: boolean;
  initMs: number;
  /** Arrival times of signs of a restart that need a second one (T14, IPFIX). */
  sequenceBackMs: number;
  initChangedMs: number;
  rates: Rates | null;
  /** Evicted: look-up caches must not return it. */
  gone: boolean;
  /** Heard of since it was last looked at for eviction. */
  recent: boolean;
}

export interface SessionStore {
  find(source: Source, version: number, domain: number): Session;
  /** Sessions with nothing to keep are the first to go when there are too many (X02, X03). */
  setEmpty(session: Session, empty: boolean): void;
}

/** Sessions without templates that are kept: one per source port of every address ever spoofed would be too many. */
const MAX_EMPTY_SESSIONS = 4096;
/** Sessions that are passed over, at a time, because they were heard of since the last look. */
const MAX_PASSED_OVER = 64;
/** A boot time this much off is another boot time (T14). */
const BOOT_SLACK_MS = 60_000;
/** Uptime may go back this much between datagrams that overtook each other. */
const REORDER_MS = 10_000;
/** A sequence number below this, coming from above twice this, began anew. */
const SEQUENCE_NEAR_ZERO = 1_000;
/** Two signs of an IPFIX restart belong together when they come this close. */
const SIGNS_WINDOW_MS = 600_000;
const MAX_BOOTS = 4;
const WORD = 4_294_967_296;

export function createSessionStore(evicted: (session: Session) => void): SessionStore {
  const sessions = new Map<string, Session>();
  const groups = new Map<string, Group>();
  const empty = new Set<Session>();
  const oldestEmpty = createOldest(empty);
  /** Callers keep one Source object per peer, so the text key is made once per peer and domain. */
  const bySource = new WeakMap<Source, Map<number, Session>>();
  let lastSource: Source | null = null;
  let last: Session | null = null;

  function create(source: Source, version: number, domain: number, key: string): Session {
    const groupKey = `${version}|${source.address}|${domain}`;
    let group = groups.get(groupKey);
    if (!group) {
      group = { sessions: new Set(), newest: new Map(), initMs: -1 };
      groups.set(groupKey, group);
    }
    const session: Session = {
      key,
      source,
      address: source.address,
      version,
      domain,
      group,
      templates: new Map(),
      boots: [],
      oldBoots: [],
      uptimeMs: 0,
      sequence: 0,
      seen: false,
      restored: false,
      initMs: -1,
      sequenceBackMs: -Infinity,
      initChangedMs: -Infinity,
      rates: null,
      gone: false,
      recent: false,
    };
    group.sessions.add(session);
    sessions.set(key, session);
    setEmpty(session, true);
    return session;
  }

  function setEmpty(session: Session, isEmpty: boolean): void {
    if (!isEmpty || session.gone) {
      empty.delete(session);
      return;
    }
    empty.add(session);
    if (empty.size <= MAX_EMPTY_SESSIONS) return;
    for (let passedOver = 0; ; passedOver++) {
      const victim = oldestEmpty();
      if (!victim) return;
      empty.delete(victim);
      // An exporter that goes on sending is no spoofed address that was used once.
      if (victim === session || (victim.recent && passedOver < MAX_PASSED_OVER)) {
        victim.recent = false;
        empty.add(victim);
        continue;
      }
      victim.gone = true;
      bySource.get(victim.source)?.delete(shortKey(victim.version, victim.domain));
      sessions.delete(victim.key);
      victim.group.sessions.delete(victim);
      if (victim.group.sessions.size === 0) groups.delete(`${victim.version}|${victim.address}|${victim.domain}`);
      evicted(victim);
      return;
    }
  }

  return {
    find(source, version, domain) {
      if (last && lastSource === source && last.domain === domain && last.version === version && !last.gone)
        return last;
      let domains = bySource.get(source);
      if (!domains) {
        domains = new Map();
        bySource.set(source, domains);
      }
      const short = shortKey(version, domain);
      let session = domains.get(short);
      if (!session || session.gone) {
        const key = `${version}|${source.address}|${source.port}|${domain}`;
        session = sessions.get(key) ?? create(source, version, domain, key);
        domains.set(short, session);
        session.source = source;
      } else session.recent = true;
      lastSource = source;
      last = session;
      return session;
    },
    setEmpty,
  };
}

/**
 * T14 for v5, v7 and v9: boot time moved, uptime went back, sequence began anew; any two mean a restart. Boot times
 * are compared modulo 2^32 ms, so the wrap of the uptime after 49.7 days is none of these (C02).
 */
export function sawRestart(session: Session, exportMs: number, uptimeMs: number, sequence: number): boolean {
  const bootMs = exportMs - uptimeMs;
  let restarted = false;
  if (!knowsBoot(session.boots, bootMs)) {
    if (session.seen) {
      const back = uptimeMs < session.uptimeMs - REORDER_MS;
      restarted = session.restored || back || beganAnew(session, sequence);
    }
    if (restarted) session.oldBoots = session.boots;
    session.boots = restarted ? [bootMs] : [bootMs, ...session.boots.slice(0, MAX_BOOTS - 1)];
  }
  session.seen = true;
  session.restored = false;
  session.uptimeMs = uptimeMs;
  session.sequence = sequence;
  return restarted;
}

/** A loop, since every datagram comes here: a closure costs as much as a record. */
function knowsBoot(boots: readonly number[], bootMs: number): boolean {
  for (let i = 0; i < boots.length; i++) {
    if (Math.abs(wrap32(bootMs - (boots[i] as number))) <= BOOT_SLACK_MS) return true;
  }
  return false;
}

/** True when the other session has heard nothing since the boot that `restarted` has left behind. */
export function sharesBoot(other: Session, restarted: Session): boolean {
  return other.boots.some((boot) => restarted.oldBoots.some((old) => Math.abs(wrap32(boot - old)) <= BOOT_SLACK_MS));
}

/** T14 for IPFIX, which has no uptime: notes a sequence that began anew. */
export function noteSequence(session: Session, sequence: number, arrivalMs: number): boolean {
  if (session.seen && beganAnew(session, sequence)) session.sequenceBackMs = arrivalMs;
  session.seen = true;
  session.sequence = sequence;
  return bothSigns(session);
}

/** T14 for IPFIX: notes systemInitTimeMilliseconds (C06). @returns true when the exporter restarted */
export function noteSystemInit(session: Session, initMs: number, arrivalMs: number): boolean {
  const changed = session.initMs >= 0 && Math.abs(initMs - session.initMs) > BOOT_SLACK_MS;
  session.initMs = initMs;
  session.group.initMs = initMs;
  if (changed && session.restored) {
    session.restored = false;
    return true;
  }
  if (changed) session.initChangedMs = arrivalMs;
  session.restored = false;
  return bothSigns(session);
}

function shortKey(version: number, domain: number): number {
  return domain * 16 + version;
}

function bothSigns(session: Session): boolean {
  if (!(Math.abs(session.sequenceBackMs - session.initChangedMs) <= SIGNS_WINDOW_MS)) return false;
  session.sequenceBackMs = -Infinity;
  session.initChangedMs = -Infinity;
  return true;
}

function beganAnew(session: Session, sequence: number): boolean {
  return sequence < SEQUENCE_NEAR_ZERO && session.sequence > 2 * SEQUENCE_NEAR_ZERO;
}

function wrap32(ms: number): number {
  return ms - WORD * Math.round(ms / WORD);
}
