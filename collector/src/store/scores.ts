import { ONE_SERVER, type Dialect } from './dialect.ts';
import type { Engine } from './engine.ts';

/** What one host has of all intervals in which it was among the busiest. */
export interface HostScore {
  /** Text form of its address. */
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

/** The busiest hosts so far (AggregateScore, semantics 2.5). */
export interface ScoreState {
  /** End of the last interval that is in it; 0 when none is. */
  readonly untilMs: number;
  /** Intervals since the last halving. */
  readonly reports: number;
  readonly hosts: readonly HostScore[];
}

const VALUES = ['count', 'bytes_in', 'packets_in', 'flows_in', 'bytes_out', 'packets_out', 'flows_out'] as const;
const FIELDS = ['count', 'inBytes', 'inPackets', 'inFlows', 'outBytes', 'outPackets', 'outFlows'] as const;

/**
 * One row holds the whole state, and a later one replaces it: an interval is in it wholly or not at all, and taken once,
 * whatever happens in between. The halving keeps it small.
 */
export function createScoreTable(dialect: Dialect = ONE_SERVER): string {
  return `CREATE TABLE IF NOT EXISTS ${dialect.on('aggregate_score')} (
  id UInt8,
  until DateTime('UTC'),
  reports UInt32,
  addr Array(IPv6),
  ${VALUES.map((name) => `${name} Array(UInt64)`).join(',\n  ')},
  at DateTime64(3, 'UTC')
) ENGINE = ${dialect.engine('aggregate_score', 'ReplacingMergeTree(at)')}
ORDER BY id`;
}

/** The latest state; an empty one at first. */
export async function loadScores(engine: Engine): Promise<ScoreState> {
  type Row = { untilMs: number; reports: number; addr: string[] } & Record<(typeof VALUES)[number], number[]>;
  const [row] = await engine.select<Row>(
    `SELECT toUnixTimestamp(until) * 1000 AS untilMs, reports, arrayMap(one -> toString(one), addr) AS addr, ${VALUES.join(', ')} FROM aggregate_score ORDER BY at DESC LIMIT 1`,
  );
  if (!row) return { untilMs: 0, reports: 0, hosts: [] };
  const hosts = row.addr.map((address, index) => {
    const values = VALUES.map((name, value) => [FIELDS[value], Number(row[name][index])]);
    return { address: address.replace(/^::ffff:(?=\d+\.)/, ''), ...Object.fromEntries(values) } as HostScore;
  });
  return { untilMs: Number(row.untilMs), reports: row.reports, hosts };
}

/** Replaces the state. */
export async function saveScores(engine: Engine, state: ScoreState, nowMs: number): Promise<void> {
  await engine.exec(
    `INSERT INTO aggregate_score (id, until, reports, addr, ${VALUES.join(', ')}, at)
SELECT 1, toDateTime({until:UInt32}, 'UTC'), {reports:UInt32}, arrayMap(one -> toIPv6(one), {addr:Array(String)}), ${VALUES.map((name) => `{${name}:Array(UInt64)}`).join(', ')}, fromUnixTimestamp64Milli({now:Int64}, 'UTC')`,
    {
      until: Math.floor(state.untilMs / 1000),
      reports: state.reports,
      addr: state.hosts.map(({ address }) => address),
      ...Object.fromEntries(
        VALUES.map((name, index) => [
          name,
          state.hosts.map((host) => host[FIELDS[index] as keyof HostScore] as number),
        ]),
      ),
      now: nowMs,
    },
  );
}
