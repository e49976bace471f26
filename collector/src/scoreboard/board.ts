import {
  METRICS,
  RingflowError,
  type DataFrameJson,
  type FlowQueryInput,
  type Metric,
  type QueryRequest,
  type QueryResponse,
  type ScoreboardResponse,
  type ScoreCounters,
  type ScoreList,
} from '@ringflow/contract';
import { compareText, WAYS, type HostScore } from './scores.ts';

/** Length of an interval: CUFlow's step. */
export const INTERVAL_MS = 300_000;

/** Records that belong to an interval come up to this long after its end. */
const SETTLE_MS = 120_000;

/** Answers queries of the API. */
export type Ask = (request: QueryRequest, signal: AbortSignal) => Promise<QueryResponse>;

/** End of the newest interval that is complete. */
export function lastComplete(nowMs: number): number {
  return Math.floor((nowMs - SETTLE_MS) / INTERVAL_MS) * INTERVAL_MS;
}

/** Multicast comes in without going to a host; CUFlow leaves it out, too. */
const TRAFFIC = { in: 'direction = in and dst_scope != multicast', out: 'direction = out' } as const;

/** The own end of what comes in is the destination, of what goes out the source. */
const HOST = { in: 'dst_addr', out: 'src_addr' } as const;

type Counters = Map<string, ScoreCounters>;

/**
 * The own hosts with the most traffic of one interval (CUFlow's Scoreboard, semantics 2.5): six lists, in and out by
 * bytes, packets and flows. The rings of top lists hold what it is made of, so there is one for every interval that they
 * reach back to.
 *
 * @param atMs a time in the interval
 * @param rows of each list
 * @throws RingflowError when a query fails
 */
export async function readScoreboard(
  ask: Ask,
  atMs: number,
  rows: number,
  nowMs: number,
  signal: AbortSignal,
): Promise<ScoreboardResponse> {
  const fromMs = Math.floor(atMs / INTERVAL_MS) * INTERVAL_MS;
  const toMs = fromMs + INTERVAL_MS;
  const window = { from: fromMs, to: toMs };
  const query = (way: 'in' | 'out', more: Partial<FlowQueryInput>): FlowQueryInput => ({
    refId: `${way} ${more.kind ?? ''} ${more.metric ?? ''}`,
    filter: TRAFFIC[way],
    measure: 'total',
    ...more,
  });
  const first = [
    ...WAYS.map((way) => query(way, { kind: 'stat' })),
    ...WAYS.flatMap((way) =>
      METRICS.map((metric) => query(way, { kind: 'table', groupBy: [HOST[way]], metric, limit: rows, other: false })),
    ),
  ];
  const answers = await framesOf(ask, { ...window, queries: first }, signal);
  const totals = WAYS.map((way) => readTotals(answers.get(`${way} stat `)));
  const ranked = WAYS.flatMap((way) =>
    METRICS.map((metric) => ({ way, metric, hosts: readHosts(answers.get(`${way} table ${metric}`), HOST[way]) })),
  );
  const addresses = [...new Set(ranked.flatMap(({ hosts }) => [...hosts.keys()]))];
  // A list says one direction of its hosts; the other one, and hosts of other lists, are asked for by name.
  const both = new Map<'in' | 'out', Counters>();
  if (addresses.length > 0) {
    const second = WAYS.map((way) =>
      query(way, {
        kind: 'table',
        groupBy: [HOST[way]],
        filter: `${TRAFFIC[way]} and ${HOST[way]} in (${addresses.join(', ')})`,
        limit: addresses.length,
        other: false,
      }),
    );
    const more = await framesOf(ask, { ...window, queries: second }, signal);
    for (const way of WAYS) both.set(way, readHosts(more.get(`${way} table `), HOST[way]));
  }
  const lists = ranked.map(({ way, metric, hosts }): ScoreList => {
    const total = totals[WAYS.indexOf(way)] as ScoreCounters;
    const sorted = [...hosts].sort(([a, left], [b, right]) => right[metric] - left[metric] || compareText(a, b));
    return {
      direction: way,
      metric,
      rows: sorted
        .filter(([, counters]) => counters[metric] > 0)
        .map(([address, counters], index) => ({
          rank: index + 1,
          address,
          in: both.get('in')?.get(address) ?? NOTHING,
          out: both.get('out')?.get(address) ?? NOTHING,
          share: total[metric] === 0 ? 0 : (100 * counters[metric]) / total[metric],
          intervals: 1,
        })),
    };
  });
  return {
    fromMs,
    toMs,
    seconds: Math.max(1, Math.min(toMs, nowMs) - fromMs) / 1000,
    complete: toMs <= lastComplete(nowMs),
    in: totals[0] as ScoreCounters,
    out: totals[1] as ScoreCounters,
    lists,
  };
}

/** Each host of any list once, as it counts for the busiest hosts overall. */
export function hostsOf({ lists }: Pick<ScoreboardResponse, 'lists'>): HostScore[] {
  const rows = new Map(lists.flatMap((list) => list.rows.map((row) => [row.address, row] as const)));
  return [...rows.values()].map(({ address, in: into, out }) => ({
    address,
    count: 1,
    inBytes: into.bytes,
    inPackets: into.packets,
    inFlows: into.flows,
    outBytes: out.bytes,
    outPackets: out.packets,
    outFlows: out.flows,
  }));
}

const NOTHING: ScoreCounters = { bytes: 0, packets: 0, flows: 0 };

async function framesOf(ask: Ask, request: QueryRequest, signal: AbortSignal): Promise<Map<string, DataFrameJson>> {
  const { results } = await ask(request, signal);
  return new Map(
    Object.entries(results).flatMap(([refId, { code, error, hint, frames }]) => {
      if (error !== undefined)
        throw new RingflowError(
          (code as RingflowError['code'] | undefined) ?? 'internal',
          error,
          hint === undefined ? {} : { hint },
        );
      const [frame] = frames;
      return frame ? [[refId, frame] as const] : [];
    }),
  );
}

function valuesOf(frame: DataFrameJson | undefined, name: string): readonly unknown[] {
  const index = frame?.schema.fields.findIndex((field) => field.name === name) ?? -1;
  return index < 0 ? [] : (frame?.data.values[index] ?? []);
}

function countersAt(frame: DataFrameJson | undefined, row: number): ScoreCounters {
  const of = (metric: Metric): number => Number(valuesOf(frame, metric)[row] ?? 0);
  return { bytes: of('bytes'), packets: of('packets'), flows: of('flows') };
}

function readTotals(frame: DataFrameJson | undefined): ScoreCounters {
  return countersAt(frame, 0);
}

/** Unnamed rows of a top list have no address: they are no host. */
function readHosts(frame: DataFrameJson | undefined, field: string): Counters {
  return new Map(
    valuesOf(frame, field).flatMap((address, row) =>
      typeof address === 'string' && address !== '' ? [[address, countersAt(frame, row)] as const] : [],
    ),
  );
}
