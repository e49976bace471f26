import { FLOW_TYPES } from '@ringflow/contract';
import type { DatagramInfo } from '../wire/index.ts';
import type { AllowList } from './allow-list.ts';
import { followSequence } from './sequence.ts';
import {
  createSession,
  describeSession,
  noteAgentDrops,
  sampleSequence,
  type ExporterStatus,
  type Session,
} from './sessions.ts';
import { createSources, type SourceEntry, type SourcesStatus } from './sources.ts';

export interface ExportersConfig {
  readonly known_sources: number;
  readonly unknown_sources: number;
  readonly new_sources_per_second: number;
  readonly sessions: number;
}

/** What is kept per source: its sessions, most often one. */
export interface SourceState {
  readonly sessions: Map<number, Session>;
  last: Session | null;
}

export type ExporterSource = SourceEntry<SourceState>;

export interface Exporters {
  /** The sender of a datagram; null when it must be dropped (not allowed, too many new ones), which is counted. */
  admit(address: Int32Array, at: number, port: number, nowMs: number): ExporterSource | null;
  /** Books a decoded datagram: sequence, losses, last seen. Returns its session for clock and sampling. */
  book(source: ExporterSource, info: DatagramInfo, sizeBytes: number, rows: number, nowMs: number): Session;
  status(nowMs: number): ExportersStatus;
}

export interface ExportersStatus {
  readonly exporters: readonly ExporterStatus[];
  readonly sources: SourcesStatus;
  readonly agents: SourcesStatus;
  /** Datagrams that were not decoded, since start. */
  readonly refused: Readonly<Record<'not_allowed' | 'new_source_rate', number>>;
  /** Senders outside the allow-list, some of them. */
  readonly notAllowed: readonly string[];
  /** Sessions not followed because there were too many. */
  readonly unfollowed: number;
  /** Sessions that are followed but not listed above: known exporters come first, then the latest unknown ones. */
  readonly omitted: number;
}

/** Words per sample as in wire's `SAMPLE_WORDS`; comes in because inlet takes only types from there. */
export interface WireNumbers {
  readonly lossReasons: readonly string[];
  readonly sampleWords: number;
}

/** Sessions in a status, of sources and of sFlow agents each: it goes to main every second, also in a flood with spoofed addresses. */
const MAX_SHOWN = 2048;

/** Domains followed per source. */
const MAX_DOMAINS = 256;

/** Keeps who exports: per source for NetFlow and IPFIX, per agent and sub-agent for sFlow (Q07). */
export function createExporters(config: ExportersConfig, allow: AllowList, wire: WireNumbers): Exporters {
  const sizes = {
    known: config.known_sources,
    unknown: config.unknown_sources,
    newPerSecond: config.new_sources_per_second,
  };
  let sessionCount = 0;
  let unfollowed = 0;
  const createState = (): SourceState => ({ sessions: new Map(), last: null });
  const onEvict = (entry: ExporterSource): void => {
    sessionCount -= entry.state.sessions.size;
  };
  const sources = createSources<SourceState>(sizes, createState, onEvict);
  const agents = createSources<SourceState>(sizes, createState, onEvict);
  const refused = { not_allowed: 0, new_source_rate: 0 };
  const denied = createSources<null>({ known: 1, unknown: 16, newPerSecond: 16 }, () => null);
  /** Takes what cannot be followed; not shown. */
  const overflow = createSession(0, 0, 0);

  function admit(address: Int32Array, at: number, port: number, nowMs: number): ExporterSource | null {
    const entry = sources.peek(address, at, port);
    if (!entry && !allow(address, at)) {
      refused.not_allowed++;
      denied.find(address, at, 0, nowMs);
      return null;
    }
    const found = sources.find(address, at, port, nowMs);
    if (!found) refused.new_source_rate++;
    return found;
  }

  function sessionOf(owner: ExporterSource, type: number, domain: number, nowMs: number): Session {
    const { state } = owner;
    if (state.last && state.last.type === type && state.last.domain === domain) return state.last;
    const key = type * 4_294_967_296 + domain;
    let session = state.sessions.get(key);
    if (!session) {
      if (state.sessions.size >= MAX_DOMAINS || sessionCount >= config.sessions) {
        unfollowed++;
        return overflow;
      }
      session = createSession(type, domain, nowMs);
      state.sessions.set(key, session);
      sessionCount++;
    }
    state.last = session;
    return session;
  }

  function book(source: ExporterSource, info: DatagramInfo, sizeBytes: number, rows: number, nowMs: number): Session {
    const isSflow = info.type === FLOW_TYPES.SFLOW_5;
    let owner = source;
    if (isSflow) {
      const { exporter } = info;
      agentWords.set(exporter);
      owner = agents.find(agentWords, 0, 0, nowMs) ?? source;
    }
    const session = sessionOf(owner, info.type, info.domain, nowMs);
    session.lastSeenMs = nowMs;
    session.datagrams++;
    session.bytes += sizeBytes;
    session.records += rows;
    session.otherRecords += info.otherRecords;
    session.templates += info.templates;
    if (info.templatesSeen > 0) session.templateMs = nowMs;
    if (info.restarted) session.restarts++;
    bookLosses(session, info.losses);
    if (info.type !== 0 && session !== overflow) {
      followSequence(session.sequence, info.sequence, info.units, nowMs, info.restarted);
      if (isSflow) bookSamples(session, info, nowMs);
    }
    if (rows > 0 || info.templatesSeen > 0 || info.otherRecords > 0) {
      sources.credit(source, nowMs);
      if (owner !== source) agents.credit(owner, nowMs);
    }
    return session;
  }
  const agentWords = new Int32Array(4);

  function bookLosses(session: Session, losses: Uint32Array): void {
    for (let reason = 0; reason < losses.length; reason++) {
      const count = losses[reason] as number;
      if (count === 0) continue;
      session.losses ??= new Float64Array(losses.length);
      session.losses[reason] = (session.losses[reason] as number) + count;
    }
  }

  function bookSamples(session: Session, info: DatagramInfo, nowMs: number): void {
    const { samples } = info;
    for (let i = 0; i < info.sampleCount; i++) {
      const at = i * wire.sampleWords;
      const tag = samples[at] as number;
      const sourceId = samples[at + 1] as number;
      const sequence = sampleSequence(session, tag, sourceId);
      if (!sequence) continue;
      followSequence(sequence, samples[at + 2] as number, 1, nowMs, info.restarted);
      // Counter samples (2, 4) have no such field.
      if (tag !== 2 && tag !== 4) noteAgentDrops(session, tag, sourceId, samples[at + 5] as number);
    }
  }

  function status(nowMs: number): ExportersStatus {
    const exporters: ExporterStatus[] = [];
    for (const table of [sources, agents]) {
      const end = exporters.length + MAX_SHOWN;
      for (const entry of table.entries()) {
        for (const session of entry.state.sessions.values()) {
          if (exporters.length === end) break;
          exporters.push(describeSession(session, entry, wire.lossReasons, nowMs));
        }
      }
    }
    return {
      exporters,
      sources: sources.status(),
      agents: agents.status(),
      refused: { ...refused },
      notAllowed: [...denied.entries()].map((entry) => entry.address),
      unfollowed,
      omitted: sessionCount - exporters.length,
    };
  }

  return { admit, book, status };
}
