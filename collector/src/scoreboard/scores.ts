import { METRICS, type Metric, type ScoreCounters, type ScoreList } from '@ringflow/contract';

/** What one host has of all intervals in which it was among the busiest. */
export interface HostScore {
  readonly address: string;
  /** Intervals. */
  readonly count: number;
  readonly inBytes: number;
  readonly inPackets: number;
  readonly inFlows: number;
  readonly outBytes: number;
  readonly outPackets: number;
  readonly outFlows: number;
}

/** The busiest hosts so far. */
export interface Scores {
  /** End of the last interval that is in it; 0 when none is. */
  readonly untilMs: number;
  /** Intervals since the last halving. */
  readonly reports: number;
  readonly hosts: readonly HostScore[];
}

/** More intervals than this, and everything is halved (CUFlow.pm; its manual says 100). */
const MOST_REPORTS = 50;

/** Name of a counter of a host. */
export function scoreOf(host: HostScore, direction: 'in' | 'out', metric: Metric): number {
  const { bytes, packets, flows } = direction === 'in' ? incoming(host) : outgoing(host);
  return { bytes, packets, flows }[metric];
}

function incoming({ inBytes, inPackets, inFlows }: HostScore): ScoreCounters {
  return { bytes: inBytes, packets: inPackets, flows: inFlows };
}

function outgoing({ outBytes, outPackets, outFlows }: HostScore): ScoreCounters {
  return { bytes: outBytes, packets: outPackets, flows: outFlows };
}

/**
 * Adds an interval: each address of any of its lists once (semantics 2.5). When there are more reports than
 * {@link MOST_REPORTS}, everything is halved, and who was seen once drops out: what is long ago fades, and the state
 * never holds more than the lists of {@link MOST_REPORTS} intervals have rows.
 *
 * @param hosts of the interval, with a count of 1; no address twice
 */
export function addInterval(scores: Scores, untilMs: number, hosts: readonly HostScore[]): Scores {
  return mergeScores({ ...scores, untilMs }, { reports: 1, hosts });
}

/** Adds what another count has: an interval, or the file of AggregateScore. */
export function mergeScores(scores: Scores, other: Pick<Scores, 'reports' | 'hosts'>): Scores {
  const byAddress = new Map(scores.hosts.map((host) => [host.address, host]));
  for (const host of other.hosts) {
    const known = byAddress.get(host.address);
    byAddress.set(host.address, known ? combine(known, host, (a, b) => a + b) : host);
  }
  let reports = scores.reports + other.reports;
  let hosts = [...byAddress.values()];
  while (reports > MOST_REPORTS) {
    reports = Math.floor(reports / 2);
    hosts = hosts.filter(({ count }) => count > 1).map((host) => combine(host, host, (a) => Math.floor(a / 2)));
  }
  return { untilMs: scores.untilMs, reports, hosts };
}

function combine(a: HostScore, b: HostScore, how: (a: number, b: number) => number): HostScore {
  return {
    address: a.address,
    count: how(a.count, b.count),
    inBytes: how(a.inBytes, b.inBytes),
    inPackets: how(a.inPackets, b.inPackets),
    inFlows: how(a.inFlows, b.inFlows),
    outBytes: how(a.outBytes, b.outBytes),
    outPackets: how(a.outPackets, b.outPackets),
    outFlows: how(a.outFlows, b.outFlows),
  };
}

/** The six lists: in and out, by each metric, ranked by the average per interval. */
export function rankScores({ hosts }: Scores, rows: number): ScoreList[] {
  const averages = hosts.map((host) => ({
    host: combine(host, host, (value) => Math.round(value / host.count)),
    intervals: host.count,
  }));
  return WAYS.flatMap((direction) =>
    METRICS.map((metric): ScoreList => {
      const value = ({ host }: { host: HostScore }): number => scoreOf(host, direction, metric);
      const total = averages.reduce((sum, one) => sum + value(one), 0);
      const ranked = averages
        .filter((one) => value(one) > 0)
        .sort((a, b) => value(b) - value(a) || compareText(a.host.address, b.host.address))
        .slice(0, rows);
      return {
        direction,
        metric,
        rows: ranked.map((one, index) => ({
          rank: index + 1,
          address: one.host.address,
          in: incoming(one.host),
          out: outgoing(one.host),
          share: total === 0 ? 0 : (100 * value(one)) / total,
          intervals: one.intervals,
        })),
      };
    }),
  );
}

export const WAYS = ['in', 'out'] as const;

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
