import { COLUMNS, FLOW_TYPES, type ColumnName } from '@ringflow/contract';
import type { Batch, ColumnData, DatagramInfo, Source } from '../wire/index.ts';
import type { AllowList } from './allow-list.ts';
import { followSequence } from './sequence.ts';
import {
  addSampleSource,
  createSession,
  describeSession,
  noteAgentDrops,
  sampleSource,
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
  last: Session | null;
  /** By protocol and domain, from the second one on. */
  sessions: Map<number, Session> | null;
  /** Sessions and sFlow data sources together. */
  followed: number;
}

export type ExporterSource = SourceEntry<SourceState>;

export interface Exporters {
  /** The sender of a datagram; null when it must be dropped (not allowed, too many new ones), which is counted. */
  admit(address: Int32Array, at: number, port: number, nowMs: number): ExporterSource | null;
  /** Books a decoded datagram: sequence, losses, last seen. Returns its session for clock and sampling. */
  book(source: ExporterSource, info: DatagramInfo, sizeBytes: number, rows: number, nowMs: number): Session;
  /** Books rows that came without datagrams, decoded by somebody else. */
  bookRows(batch: Batch, from: number, to: number, nowMs: number): void;
  /** True unless the source may be one of very many that were made up: it is known, or there are few unknown ones. */
  trusts(source: Source): boolean;
  /** Replaces the allow-list; senders that it leaves out are forgotten. */
  allow(list: AllowList): void;
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
  /** Sessions and sFlow data sources that are followed, */
  readonly followed: number;
  /** and how often one was not because there were too many. */
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

/** Domains followed per source, and sFlow data sources per agent, */
const MAX_DOMAINS = 256;
const MAX_SAMPLE_SOURCES = 1024;
/** both together before it has proven itself, and one when half of all is taken. */
const MAX_UNPROVEN = 16;
/** A source may take up to this part of what is free: however many take all they can, some is left for others (X02). */
const SHARE_OF_FREE = 1 / 4;

/** Keeps who exports: per source for NetFlow and IPFIX, per agent and sub-agent for sFlow (Q07). */
export function createExporters(config: ExportersConfig, allowed: AllowList, wire: WireNumbers): Exporters {
  let allow = allowed;
  const sizes = {
    known: config.known_sources,
    unknown: config.unknown_sources,
    newPerSecond: config.new_sources_per_second,
  };
  let sessionCount = 0;
  let followed = 0;
  let unfollowed = 0;
  const createState = (): SourceState => ({ last: null, sessions: null, followed: 0 });
  const onEvict = ({ state }: ExporterSource): void => {
    sessionCount -= state.sessions?.size ?? (state.last ? 1 : 0);
    followed -= state.followed;
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
    let session = state.sessions?.get(keyOf(type, domain));
    if (!session) {
      if ((state.sessions?.size ?? 0) >= MAX_DOMAINS || !mayFollow(owner)) return overflow;
      session = createSession(type, domain, nowMs);
      sessionCount++;
      if (state.last) state.sessions ??= new Map([[keyOf(state.last.type, state.last.domain), state.last]]);
      state.sessions?.set(keyOf(type, domain), session);
    }
    state.last = session;
    return session;
  }

  /** Counts one more session or data source of the owner, if it may have one. */
  function mayFollow(owner: ExporterSource): boolean {
    const { state, known } = owner;
    const free = config.sessions - followed;
    const share = known ? free * SHARE_OF_FREE : free > config.sessions / 2 ? MAX_UNPROVEN : 0;
    if (free <= 0 || (state.followed > 0 && state.followed >= share)) {
      unfollowed++;
      return false;
    }
    state.followed++;
    followed++;
    return true;
  }

  function keyOf(type: number, domain: number): number {
    return type * 4_294_967_296 + domain;
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
      if (isSflow) bookSamples(owner, session, info, nowMs);
    }
    if (rows > 0 || info.templatesSeen > 0 || info.otherRecords > 0) {
      sources.credit(source, nowMs);
      if (owner !== source) agents.credit(owner, nowMs);
    }
    return session;
  }
  const agentWords = new Int32Array(4);

  function bookRows(batch: Batch, from: number, to: number, nowMs: number): void {
    const words = batch.data[EXPORTER];
    if (!words) return;
    for (let row = from; row < to;) {
      const first = row;
      const type = batch.data[TYPE]?.[row] ?? 0;
      const domain = batch.data[DOMAIN]?.[row] ?? 0;
      // Rows of one exporter mostly follow each other.
      while (++row < to && isSameRun(batch, words, first, row));
      agentWords.set(words.subarray(first * 4, first * 4 + 4));
      const owner = agents.find(agentWords, 0, 0, nowMs);
      if (!owner) continue;
      const session = sessionOf(owner, type, domain, nowMs);
      session.lastSeenMs = nowMs;
      session.records += row - first;
      session.samplingRate = batch.data[RATE]?.[row - 1] ?? 0;
      agents.credit(owner, nowMs);
    }
  }

  function bookLosses(session: Session, losses: Uint32Array): void {
    for (let reason = 0; reason < losses.length; reason++) {
      const count = losses[reason] as number;
      if (count === 0) continue;
      session.losses ??= Array.from(losses, () => 0);
      session.losses[reason] = (session.losses[reason] as number) + count;
    }
  }

  function bookSamples(owner: ExporterSource, session: Session, info: DatagramInfo, nowMs: number): void {
    const { samples } = info;
    for (let i = 0; i < info.sampleCount; i++) {
      const at = i * wire.sampleWords;
      const tag = samples[at] as number;
      const sourceId = samples[at + 1] as number;
      const known = sampleSource(session, tag, sourceId);
      if (!known && ((session.samples?.bySource.size ?? 0) >= MAX_SAMPLE_SOURCES || !mayFollow(owner))) continue;
      const followed = known ?? addSampleSource(session, tag, sourceId);
      followSequence(followed.sequence, samples[at + 2] as number, 1, nowMs, info.restarted);
      // Counter samples (2, 4) have no such field.
      if (tag !== 2 && tag !== 4) noteAgentDrops(session, followed, samples[at + 5] as number);
    }
  }

  function status(nowMs: number): ExportersStatus {
    const exporters: ExporterStatus[] = [];
    for (const table of [sources, agents]) {
      const end = exporters.length + MAX_SHOWN;
      for (const entry of table.entries()) {
        const { last, sessions } = entry.state;
        for (const session of sessions?.values() ?? (last ? [last] : [])) {
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
      followed,
      unfollowed,
      omitted: sessionCount - exporters.length,
    };
  }

  function allowOnly(list: AllowList): void {
    allow = list;
    sources.forgetWhere(({ words }) => !allow(new Int32Array(words.buffer), 0));
    denied.forgetWhere(({ words }) => allow(new Int32Array(words.buffer), 0));
  }

  function trusts(source: Source): boolean {
    return (source as Partial<ExporterSource>).known === true || sources.status().unknown < config.unknown_sources / 2;
  }

  return { admit, book, bookRows, trusts, allow: allowOnly, status };
}

const indexOf = (name: ColumnName): number => COLUMNS.findIndex((column) => column.name === name);
const EXPORTER = indexOf('sampler_address');
const TYPE = indexOf('type');
const DOMAIN = indexOf('observation_domain_id');
const RATE = indexOf('sampling_rate');

function isSameRun(batch: Batch, words: ColumnData, a: number, b: number): boolean {
  for (let i = 0; i < 4; i++) if (words[a * 4 + i] !== words[b * 4 + i]) return false;
  return [TYPE, DOMAIN].every((index) => batch.data[index]?.[a] === batch.data[index]?.[b]);
}
