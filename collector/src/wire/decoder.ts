import type { Batch } from './batch.ts';

/**
 * Why something that arrived did not become a row. Small integers, because a datagram can hold good sets and several
 * kinds of bad ones (style 3); the names are label values of `ringflow_datagram_losses_total{reason}`.
 */
export const LOSS_REASONS = [
  'unknown_protocol',
  'unsupported_version',
  'truncated_header',
  'bad_count',
  'bad_length',
  'bad_set_length',
  'bad_template',
  'template_missing',
  'template_withdrawal',
  'options_malformed',
  'sample_malformed',
  'record_malformed',
  'limit_templates',
  'limit_fields',
  'limit_parked_bytes',
  'parked_expired',
  'reserved_set',
  'bad_address_type',
] as const;
export type LossReason = (typeof LOSS_REASONS)[number];

/** Index of each reason in `DatagramInfo.losses`. */
export const LOSS: Readonly<Record<LossReason, number>> = Object.fromEntries(
  LOSS_REASONS.map((reason, index) => [reason, index]),
) as Record<LossReason, number>;

/** Where datagrams come from: one UDP address and port, a transport session in the words of RFC 7011 8. */
export interface Source {
  /** Text form; IPv4-mapped addresses are written as IPv4 (protocols F24). */
  readonly address: string;
  /** The sixteen bytes as four words, in the layout of an `addr` column. */
  readonly words: Uint32Array;
  readonly port: number;
}

/** Words per sample in `DatagramInfo.samples`: kind (the sample's tag), source id, sequence, rate, pool, drops. */
export const SAMPLE_WORDS = 6;
/** Samples of one datagram whose sequence is followed. */
export const MAX_SAMPLES = 256;

/** What `decode` found out about one datagram; owned by the caller and filled anew each time. */
export interface DatagramInfo {
  /** A value of `FLOW_TYPES`; 0 when the datagram was not recognised. */
  type: number;
  /** Observation domain, source id, engine type and id, or sFlow sub-agent. */
  domain: number;
  sequence: number;
  /** By how much the exporter's next sequence number will be larger (Q01); -1 when it cannot be known (Q05). */
  units: number;
  /** Milliseconds since the epoch as the exporter sees it; 0 when the protocol does not say (sFlow). */
  exportTimeMs: number;
  /** Milliseconds since the exporter's boot; -1 when the protocol does not say (IPFIX). */
  uptimeMs: number;
  /** Who exported: the source's words, or the sFlow agent's address. */
  exporter: Uint32Array;
  /** Flow records in the datagram: rows appended, and records that could be counted but not kept. */
  records: number;
  /** Options and counter records. */
  otherRecords: number;
  /** True when the decoder took the exporter to have restarted (T14). */
  restarted: boolean;
  /** Templates defined or redefined by this datagram (identical repeats do not count). */
  templates: number;
  /** Templates in this datagram, identical repeats included: their age is a health series of the exporter. */
  templatesSeen: number;
  /** sFlow samples in `samples`. */
  sampleCount: number;
  /** sFlow: what each sample says about itself (Q06, S09), `SAMPLE_WORDS` words each; more than fit are left out. */
  readonly samples: Uint32Array;
  /** Counts by `LOSS_REASONS` index: sets, samples or datagrams. */
  readonly losses: Uint32Array;
}

export function createDatagramInfo(): DatagramInfo {
  return {
    type: 0,
    domain: 0,
    sequence: 0,
    units: 0,
    exportTimeMs: 0,
    uptimeMs: -1,
    exporter: new Uint32Array(4),
    records: 0,
    otherRecords: 0,
    restarted: false,
    templates: 0,
    templatesSeen: 0,
    sampleCount: 0,
    samples: new Uint32Array(MAX_SAMPLES * SAMPLE_WORDS),
    losses: new Uint32Array(LOSS_REASONS.length),
  };
}

/** A data record of an options template: names, sampling, statistics. Rare, so an object is fine. */
export interface OptionsRecord {
  readonly source: Source;
  readonly type: number;
  readonly domain: number;
  readonly templateId: number;
  readonly arrivalMs: number;
  /** Scope and option fields in wire order: element name (or `scope.System` …), number of the element, raw bytes. */
  readonly fields: readonly OptionsField[];
}

export interface OptionsField {
  readonly pen: number;
  readonly id: number;
  /** NetFlow v9 scope fields have their own numbers (T20). */
  readonly scope: boolean;
  readonly name: string;
  /** A window into the datagram: only valid during the call, copy what you keep. */
  readonly bytes: Uint8Array;
}

/** A counter block of an sFlow counter sample (H14): absolute counters of an interface, or a port name. */
export interface CountersRecord {
  readonly source: Source;
  /** Text form of the agent address. */
  readonly agent: string;
  readonly subAgent: number;
  readonly arrivalMs: number;
  readonly sequence: number;
  readonly sourceIdType: number;
  readonly sourceIdIndex: number;
  readonly enterprise: number;
  readonly format: number;
  /** Named numbers; 64-bit counters as bigint. */
  readonly values: Readonly<Record<string, number | bigint | string>>;
}

/** Receives what is not a flow. Called while the datagram is being decoded. */
export interface DecodeSink {
  options(record: OptionsRecord): void;
  counters(record: CountersRecord): void;
}

export interface Decoder {
  /**
   * Decodes one datagram and appends its flow records to `batch`. Never throws and never reads outside `bytes`.
   *
   * @param bytes one UDP payload; only valid during the call
   * @param arrivalMs milliseconds since the epoch, from the caller's clock
   * @returns rows appended
   */
  decode(bytes: Uint8Array, source: Source, arrivalMs: number, batch: Batch, info: DatagramInfo): number;
  /**
   * Decodes the next set that was parked and whose template has come since (T08); `info` is filled as for the
   * datagram it arrived in. Call it until it returns -1, with room for `MAX_RECORDS_PER_DATAGRAM` rows each time.
   */
  replay(batch: Batch, info: DatagramInfo): number;
  /** Drops what expired: parked sets, templates. Returns the number of sets lost, already counted in `stats()`. */
  expire(nowMs: number): number;
  stats(): DecoderStats;
  /** Templates, sampling and other options state as upserts since the last call (`key` → value, null = gone). */
  takeChanges(): Map<string, unknown>;
  /** All upserts that still hold, for a file that is written anew. */
  entries(): Iterable<readonly [string, unknown]>;
  /** Puts back what `takeChanges` gave out, before the first datagram; entries count as stale until confirmed (T12). */
  restore(entries: Iterable<readonly [string, unknown]>, nowMs: number): void;
}

export interface DecoderStats {
  templates: number;
  parkedSets: number;
  parkedBytes: number;
  /** Since start: parked = replayed + expired + evicted + discarded + parkedSets. */
  parkedTotal: number;
  replayedTotal: number;
  expiredTotal: number;
  evictedTotal: number;
  discardedTotal: number;
  /** Lookups answered by a template of another port of the same address (T03). */
  templateFallbacks: number;
}
