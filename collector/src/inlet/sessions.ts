import { FLOW_TYPES } from '@ringflow/contract';
import { clockOffset, createClock, type Clock } from './clock.ts';
import { createSequence, settleSequence, type Sequence } from './sequence.ts';

/**
 * One stream of datagrams with its own sequence numbers: protocol and observation domain of one source (Q02), or
 * sub-agent of one sFlow agent (Q06).
 */
export interface Session {
  readonly type: number;
  readonly domain: number;
  readonly firstSeenMs: number;
  lastSeenMs: number;
  datagrams: number;
  bytes: number;
  records: number;
  otherRecords: number;
  restarts: number;
  /** Templates defined or redefined, and when the last one (repeats included) was announced; 0 = never. */
  templates: number;
  templateMs: number;
  /** Rate of the latest record, 0 = unknown. */
  samplingRate: number;
  /** Counts by loss reason; made at the first loss. */
  losses: number[] | null;
  readonly sequence: Sequence;
  readonly clock: Clock;
  samples: SampleSources | null;
}

/** sFlow's data sources, by the sample's tag and source id (Q06). */
export interface SampleSources {
  readonly bySource: Map<number, SampleSource>;
  dropped: number;
}

export interface SampleSource {
  readonly sequence: Sequence;
  /** The agent's own words: samples that it had to drop; the counter is absolute, -1 = not said yet. */
  drops: number;
}

/** What one session looks like from outside; durations in milliseconds, times since the epoch. */
export interface ExporterStatus {
  /** Address of the exporter: the source's, or the sFlow agent's. */
  readonly exporter: string;
  /** UDP port of the source; 0 for sFlow, whose streams are told apart by agent. */
  readonly port: number;
  /** A name of `FLOW_TYPES`. */
  readonly protocol: string;
  readonly domain: number;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly datagrams: number;
  readonly bytes: number;
  readonly records: number;
  readonly otherRecords: number;
  readonly restarts: number;
  readonly templates: number;
  /** When a template was last announced, repeats included; 0 = never. */
  readonly templateMs: number;
  readonly samplingRate: number;
  /** Arrival minus export time, null where the protocol has no export time. */
  readonly clockOffsetMs: number | null;
  /** Rows whose times were moved by the offset. */
  readonly clockCorrectedRows: number;
  readonly sequence: {
    /** What is counted as lost. */
    readonly unit: 'flows' | 'datagrams' | 'records' | 'samples';
    readonly lost: number;
    readonly reordered: number;
    readonly duplicated: number;
    readonly resets: number;
    readonly unusable: boolean;
    /** sFlow: datagrams missing; the others: the same as `lost` where the unit is datagrams. */
    readonly lostDatagrams: number | null;
    /** sFlow: samples that the agent itself dropped. */
    readonly agentDrops: number;
  };
  /** Only reasons that occurred. */
  readonly losses: Readonly<Record<string, number>>;
}

export function createSession(type: number, domain: number, nowMs: number): Session {
  return {
    type,
    domain,
    firstSeenMs: nowMs,
    lastSeenMs: nowMs,
    datagrams: 0,
    bytes: 0,
    records: 0,
    otherRecords: 0,
    restarts: 0,
    templates: 0,
    templateMs: 0,
    samplingRate: 0,
    losses: null,
    sequence: createSequence(),
    clock: createClock(),
    samples: null,
  };
}

/** What is followed of one sFlow data source. */
export function sampleSource(session: Session, tag: number, sourceId: number): SampleSource | undefined {
  return session.samples?.bySource.get(sampleKey(tag, sourceId));
}

/** Begins to follow a data source. */
export function addSampleSource(session: Session, tag: number, sourceId: number): SampleSource {
  const samples = (session.samples ??= { bySource: new Map(), dropped: 0 });
  const added: SampleSource = { sequence: createSequence(), drops: -1 };
  samples.bySource.set(sampleKey(tag, sourceId), added);
  return added;
}

/** Notes the agent's own drop counter of one data source (S09). */
export function noteAgentDrops(session: Session, source: SampleSource, drops: number): void {
  const grown = source.drops < 0 ? 0 : (drops - source.drops) | 0;
  if (grown > 0 && session.samples) session.samples.dropped += grown;
  source.drops = drops;
}

/** Expanded samples carry the same numbers as compact ones of the same source: 3 and 1, 4 and 2. */
function sampleKey(tag: number, sourceId: number): number {
  const kind = tag === 2 || tag === 4 ? 1 : tag === 5 ? 2 : 0;
  return kind * 4_294_967_296 + sourceId;
}

const TYPE_NAMES = new Map<number, string>(Object.entries(FLOW_TYPES).map(([name, value]) => [value, name]));

const UNITS: Readonly<Record<number, ExporterStatus['sequence']['unit']>> = {
  [FLOW_TYPES.SFLOW_5]: 'samples',
  [FLOW_TYPES.NETFLOW_V5]: 'flows',
  [FLOW_TYPES.NETFLOW_V7]: 'flows',
  [FLOW_TYPES.NETFLOW_V9]: 'datagrams',
  [FLOW_TYPES.IPFIX]: 'records',
};

export function describeSession(
  session: Session,
  source: { readonly address: string; readonly port: number },
  lossReasons: readonly string[],
  nowMs: number,
): ExporterStatus {
  const { sequence, clock, samples, losses } = session;
  settleSequence(sequence, nowMs);
  let lostSamples = 0;
  for (const one of samples?.bySource.values() ?? []) {
    settleSequence(one.sequence, nowMs);
    lostSamples += one.sequence.lost;
  }
  const isSflow = session.type === FLOW_TYPES.SFLOW_5;
  const unit = UNITS[session.type] ?? 'datagrams';
  const offsetMs = clockOffset(clock);
  return {
    exporter: source.address,
    port: source.port,
    protocol: TYPE_NAMES.get(session.type) ?? 'FLOWUNKNOWN',
    domain: session.domain,
    firstSeenMs: session.firstSeenMs,
    lastSeenMs: session.lastSeenMs,
    datagrams: session.datagrams,
    bytes: session.bytes,
    records: session.records,
    otherRecords: session.otherRecords,
    restarts: session.restarts,
    templates: session.templates,
    templateMs: session.templateMs,
    samplingRate: session.samplingRate,
    clockOffsetMs: Number.isNaN(offsetMs) ? null : offsetMs,
    clockCorrectedRows: clock.correctedRows,
    sequence: {
      unit,
      lost: isSflow ? lostSamples : sequence.lost,
      reordered: sequence.reordered,
      duplicated: sequence.duplicated,
      resets: sequence.resets,
      unusable: sequence.unusable,
      lostDatagrams: isSflow || unit === 'datagrams' ? sequence.lost : null,
      agentDrops: samples?.dropped ?? 0,
    },
    losses: losses ? namedCounts(losses, lossReasons) : {},
  };
}

/** Counts that are not zero, by name. */
export function namedCounts(counts: ArrayLike<number>, names: readonly string[]): Record<string, number> {
  const named: Record<string, number> = {};
  for (let i = 0; i < counts.length; i++) if (counts[i]) named[names[i] ?? String(i)] = counts[i] as number;
  return named;
}
