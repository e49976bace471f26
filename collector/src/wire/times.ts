import { QUALITY } from '@ringflow/contract';

/**
 * The clock of one datagram and what the record functions share with their caller.
 *
 * A flow time is worked out as nanoseconds from the export time (`delta`, negative = before). Plausible ones are
 * within a day, so a double holds them exactly, whatever the epoch; implausible ones are replaced anyway (C04).
 */
export interface RecordContext {
  /** Export time in nanoseconds since the epoch as two words; the arrival time when the clock is unset (C05). */
  baseLow: number;
  baseHigh: number;
  /** Export time as the header says, split so that both parts are exact. */
  exportMs: number;
  exportSubNs: number;
  /** Milliseconds since the exporter's boot at the export time, as a signed 32-bit number. */
  uptime: number;
  uptimeKnown: boolean;
  /** Nanoseconds after the export time that a flow may end (C03, C04). */
  aheadNs: number;
  /** Nanoseconds, negative: how far before the export time a flow may lie (C04). */
  behindNs: number;
  /** Out of {@link repairTimes}. */
  startDelta: number;
  endDelta: number;
  repaired: number;
  /** Out of a record function: offset after the last record, and whether a record did not fit (L07). */
  next: number;
  malformed: boolean;
  /** Out of a record function: the packet header within the record (F30). */
  sectionFrom: number;
  sectionTo: number;
  /** An exporter's clock further ahead of ours than this is wrong: its rows would outlive any retention (X07). */
  maxLeadMs: number;
  /** Sampler or selector id of each row of the set, counted from its first row (S03). */
  samplerIds: Uint32Array;
}

/** Seconds before which no flow exporter existed: a clock that was never set (C05, v9-nprobe-dpi). */
const OLDEST_CLOCK_MS = Date.UTC(2000, 0, 1);
/** How far an unset clock must be from ours to be one: a pcap may really be old. */
const UNSET_SLACK_MS = 86_400_000;
const NS_PER_MS = 1e6;
const WORD = 4_294_967_296;

export function createRecordContext(clock: {
  max_ahead_seconds: number;
  max_behind_seconds: number;
  max_lead_seconds: number;
}): RecordContext {
  return {
    baseLow: 0,
    baseHigh: 0,
    exportMs: 0,
    exportSubNs: 0,
    uptime: 0,
    uptimeKnown: false,
    aheadNs: clock.max_ahead_seconds * 1e9,
    behindNs: -clock.max_behind_seconds * 1e9,
    startDelta: 0,
    endDelta: 0,
    repaired: 0,
    next: 0,
    malformed: false,
    sectionFrom: 0,
    sectionTo: 0,
    maxLeadMs: clock.max_lead_seconds * 1000,
    samplerIds: new Uint32Array(2048),
  };
}

/**
 * Sets the clock for a datagram (C01, C05).
 *
 * @param exportNs nanoseconds on top of the milliseconds, v5 only; may exceed a millisecond when the exporter is broken
 * @param uptimeMs milliseconds since boot, -1 = the header does not say (C06)
 * @returns the quality bits that all records of the datagram get
 */
export function setClock(
  context: RecordContext,
  exportMs: number,
  exportNs: number,
  uptimeMs: number,
  arrivalMs: number,
): number {
  context.exportMs = exportMs;
  context.exportSubNs = exportNs;
  context.uptime = uptimeMs | 0;
  context.uptimeKnown = uptimeMs >= 0;
  // A clock that is merely wrong is kept and shown as a finding: replayed captures must keep their years.
  const unset = exportMs < OLDEST_CLOCK_MS && arrivalMs - exportMs > UNSET_SLACK_MS;
  const corrected = unset || exportMs - arrivalMs > context.maxLeadMs;
  const ms = corrected ? arrivalMs : exportMs;
  const subNs = corrected ? 0 : exportNs;
  context.baseLow = lowOfMs(ms, subNs);
  context.baseHigh = highOfMs(ms, subNs);
  return corrected ? QUALITY.clock_corrected | QUALITY.clock_anomaly : 0;
}

/** Low word of `ms` milliseconds and `subNs` nanoseconds, in nanoseconds; exact for whole milliseconds below 2^53. */
export function lowOfMs(ms: number, subNs: number): number {
  return (Math.imul(ms, NS_PER_MS) + subNs) >>> 0;
}

/** High word of the same. The product is off by less than 2^11, so dividing what lies above the low word rounds right. */
export function highOfMs(ms: number, subNs: number): number {
  return Math.round((ms * NS_PER_MS + subNs - lowOfMs(ms, subNs)) / WORD);
}

/** Nanoseconds from the export time to an NTP timestamp (C08); of the eras the one nearest to the export time (C10). */
export function ntpDelta(context: RecordContext, high: number, low: number): number {
  const exportSeconds = Math.floor(context.exportMs / 1000);
  const seconds = wrapSeconds(high - 2_208_988_800 - exportSeconds);
  return (
    seconds * 1e9 + ntpFractionNs(low) - (context.exportMs - exportSeconds * 1000) * NS_PER_MS - context.exportSubNs
  );
}

/** 2^-32 seconds to whole nanoseconds: 10^9 = 5^9 · 2^9, and fraction · 5^9 still fits 53 bits. */
function ntpFractionNs(fraction: number): number {
  return Math.floor((fraction * 1_953_125) / 8_388_608);
}

function wrapSeconds(seconds: number): number {
  return seconds - WORD * Math.round(seconds / WORD);
}

/** Milliseconds since boot at the export time, when a record brings its own systemInitTimeMilliseconds (C06). */
export function uptimeSince(context: RecordContext, initHigh: number, initLow: number): number {
  return (context.exportMs - (initHigh * WORD + initLow)) | 0;
}

/**
 * C04, C12: makes implausible times plausible without touching the counters. Results in `startDelta`, `endDelta` and,
 * as quality bits, `repaired`.
 */
export function repairTimes(context: RecordContext, start: number, end: number): void {
  const { aheadNs, behindNs } = context;
  let s = start;
  let e = end;
  let flags = 0;
  if (!(e <= aheadNs && e >= behindNs)) {
    // Keep the duration, end at the export time.
    const duration = e - s;
    e = 0;
    s = duration >= 0 && duration <= -behindNs ? -duration : 0;
    flags = QUALITY.clock_anomaly;
  } else if (s > e) {
    if (s - e < 1e9) {
      const swap = s;
      s = e;
      e = swap;
    } else {
      s = e;
      flags = QUALITY.clock_anomaly;
    }
  } else if (!(s >= behindNs)) {
    // A start of zero is a field that was never set; an older one than is plausible must not open old buckets (X07).
    s = s + context.exportMs * NS_PER_MS < 1e9 ? e : behindNs;
    flags = QUALITY.clock_anomaly;
  }
  context.startDelta = s;
  context.endDelta = e;
  context.repaired = flags;
}

/** Writes an instant that is not a flow time, as the exporter gave it. */
export function writeMoment(
  data: Uint32Array,
  row: number,
  unit: 'seconds' | 'milliseconds' | 'ntp',
  high: number,
  low: number,
  context: RecordContext,
): void {
  let ms: number;
  let subNs = 0;
  if (unit === 'ntp') {
    const exportSeconds = Math.floor(context.exportMs / 1000);
    const fraction = ntpFractionNs(low);
    const wholeMs = Math.floor(fraction / NS_PER_MS);
    ms = (exportSeconds + wrapSeconds(high - 2_208_988_800 - exportSeconds)) * 1000 + wholeMs;
    subNs = fraction - wholeMs * NS_PER_MS;
  } else {
    ms = (high * WORD + low) * (unit === 'seconds' ? 1000 : 1);
  }
  // 64 bits of nanoseconds end in the year 2554.
  if (!(ms >= 0 && ms < 1.8e13)) return;
  data[row * 2] = lowOfMs(ms, subNs);
  data[row * 2 + 1] = highOfMs(ms, subNs);
}
