import { formatAddressBytes, parseAddress, QUALITY } from '@ringflow/contract';
import type { Engine, SegmentSource, SqlParams, SqlValue } from './engine.ts';
import { LONGEST_SPREAD_MS } from './rings.ts';
import { ROW_MINUTES_SQL } from './slices.ts';

/** Traffic of one loaded segment, for the counters on `/metrics`: bytes and packets are scaled by the sampling rate. */
export type TrafficDelta = TrafficKey & { readonly bytes: number; readonly packets: number; readonly records: number };

/** Whose traffic. `exporter` is the text form of an address, `service` is protocol × 65536 + port. */
export type TrafficKey =
  | { readonly kind: 'exporter'; readonly exporter: string }
  | {
      readonly kind: 'interface';
      readonly exporter: string;
      readonly interface: number;
      readonly direction: 'in' | 'out';
    }
  | { readonly kind: 'protocol'; readonly protocol: number }
  | { readonly kind: 'service'; readonly service: number }
  | { readonly kind: 'watch'; readonly watch: string }
  /** Flows that ended more than {@link LATE_MS} before they arrived. */
  | { readonly kind: 'late'; readonly exporter: string }
  | { readonly kind: 'times'; readonly exporter: string; readonly reason: TimesReason };

/**
 * What is odd about the times of a flow: `moved` they were not plausible and were made so, `corrected` the exporter's
 * clock was not set, `ahead` the flow ends after its arrival, `cut` it lasts longer than the rings spread.
 */
export const TIMES_REASONS = ['moved', 'corrected', 'ahead', 'cut'] as const;
export type TimesReason = (typeof TIMES_REASONS)[number];

/** A flow whose end is older than this when it arrives is late: it changes buckets that were looked at. */
export const LATE_MS = 3_600_000;

/** Clocks differ; an end that is further ahead of its arrival is counted. */
const AHEAD_MS = 300_000;

/** A named filter, compiled; its SQL names columns of the raw table. */
export interface TrafficWatch {
  readonly name: string;
  readonly sql: string;
  readonly params: SqlParams;
}

interface Sums {
  readonly b: number;
  readonly p: number;
  readonly r: number;
}

interface GroupRow extends Sums {
  readonly grouped: number;
  readonly sampler_address: string;
  readonly in_if: number;
  readonly out_if: number;
  readonly proto: number;
  readonly service: number;
  /** Late records, their bytes and packets. */
  readonly late: number;
  readonly lateBytes: number;
  readonly latePackets: number;
  /** Records by {@link TIMES_REASONS}. */
  readonly moved: number;
  readonly corrected: number;
  readonly ahead: number;
  readonly cut: number;
  readonly minutes: number;
}

/** grouping() of the sets below: a bit for each of exporter, in_if, out_if, proto, service that is not grouped by. */
const EXPORTER = 0b01111;
const INTERFACE_IN = 0b00111;
const INTERFACE_OUT = 0b01011;
const PROTOCOL = 0b11101;
const ALL = 0b11111;

/** What one pass over waiting segments finds. */
export interface SegmentSums {
  readonly rows: number;
  /** Minutes that their flows are spread over, at most. */
  readonly rowMinutes: number;
  /** By exporter, interface, protocol and service. */
  readonly traffic: readonly TrafficDelta[];
}

/** Sums segments up, in one pass. */
export async function sumSegments(engine: Engine, segments: SegmentSource): Promise<SegmentSums> {
  const groups = await engine.selectSegment<GroupRow>(
    segments,
    (
      table,
    ) => `SELECT grouping(sampler_address, in_if, out_if, proto, service) AS grouped, toString(sampler_address) AS sampler_address, in_if, out_if, proto, service, ${SUMS}, ${TIMES}, ${ROW_MINUTES_SQL} AS minutes
FROM ${table}
GROUP BY GROUPING SETS ((sampler_address), (sampler_address, in_if), (sampler_address, out_if), (proto), (service), ())`,
  );
  const all = groups.find(({ grouped }) => grouped === ALL);
  const traffic = groups.flatMap((row): TrafficDelta[] => {
    if (row.grouped === ALL) return [];
    const delta = { ...keyOf(row), bytes: row.b, packets: row.p, records: row.r };
    return row.grouped === EXPORTER ? [delta, ...oddTimes(row)] : [delta];
  });
  return { rows: all?.r ?? 0, rowMinutes: all?.minutes ?? 0, traffic };
}

const SUMS = `sum(bytes * greatest(sampling_rate, 1)) AS b, sum(packets * greatest(sampling_rate, 1)) AS p, count() AS r`;

const MS = (column: string): string => `toUnixTimestamp64Milli(${column})`;
const IS_LATE = `${MS('time_received_ns')} - ${MS('time_flow_end_ns')} > ${LATE_MS}`;
const HAS = (bit: number): string => `bitAnd(quality, ${bit}) != 0`;

const TIMES = `countIf(${IS_LATE}) AS late, sumIf(bytes * greatest(sampling_rate, 1), ${IS_LATE}) AS lateBytes, sumIf(packets * greatest(sampling_rate, 1), ${IS_LATE}) AS latePackets,
  countIf(${HAS(QUALITY.clock_anomaly)} AND NOT ${HAS(QUALITY.clock_corrected)}) AS moved, countIf(${HAS(QUALITY.clock_corrected)}) AS corrected,
  countIf(${MS('time_flow_end_ns')} - ${MS('time_received_ns')} > ${AHEAD_MS}) AS ahead, countIf(${MS('time_flow_end_ns')} - ${MS('time_flow_start_ns')} > ${LONGEST_SPREAD_MS}) AS cut`;

function oddTimes(row: GroupRow): TrafficDelta[] {
  const exporter = addressText(row.sampler_address);
  const late = { kind: 'late', exporter, bytes: row.lateBytes, packets: row.latePackets, records: row.late } as const;
  const odd = TIMES_REASONS.map((reason) => {
    return { kind: 'times', exporter, reason, bytes: 0, packets: 0, records: row[reason] } as const;
  });
  return [late, ...odd].filter(({ records }) => records > 0);
}

function keyOf(row: GroupRow): TrafficKey {
  switch (row.grouped) {
    case EXPORTER:
      return { kind: 'exporter', exporter: addressText(row.sampler_address) };
    case INTERFACE_IN:
      return { kind: 'interface', exporter: addressText(row.sampler_address), interface: row.in_if, direction: 'in' };
    case INTERFACE_OUT:
      return { kind: 'interface', exporter: addressText(row.sampler_address), interface: row.out_if, direction: 'out' };
    case PROTOCOL:
      return { kind: 'protocol', protocol: row.proto };
    default:
      return { kind: 'service', service: row.service };
  }
}

function addressText(text: string): string {
  const bytes = parseAddress(text);
  return bytes ? formatAddressBytes(bytes) : text;
}

/** Sums segments up by watch: all filters in one pass, as conditions of the sums. */
export async function watchTraffic(
  engine: Engine,
  segment: SegmentSource,
  watches: readonly TrafficWatch[],
): Promise<TrafficDelta[]> {
  if (watches.length === 0) return [];
  const params: Record<string, SqlValue> = {};
  const sums = watches.map((watch, index) => {
    for (const [name, value] of Object.entries(watch.params)) params[`w${index}_${name}`] = value;
    const condition = watch.sql.replace(/\{(\w+):/g, `{w${index}_$1:`);
    return `sumIf(bytes * greatest(sampling_rate, 1), ${condition}) AS b${index}, sumIf(packets * greatest(sampling_rate, 1), ${condition}) AS p${index}, countIf(${condition}) AS r${index}`;
  });
  const [row = {}] = await engine.selectSegment<Record<string, number>>(
    segment,
    (table) => `SELECT ${sums.join(', ')} FROM ${table}`,
    params,
  );
  return watches.flatMap(({ name }, index) => {
    const records = row[`r${index}`] ?? 0;
    return records === 0
      ? []
      : [
          {
            kind: 'watch',
            watch: name,
            bytes: row[`b${index}`] ?? 0,
            packets: row[`p${index}`] ?? 0,
            records,
          } as const,
        ];
  });
}
