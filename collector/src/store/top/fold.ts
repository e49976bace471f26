import type { TopList } from '@ringflow/contract';
import { comparedKeys, ownKeys, SCOPE } from './keys.ts';
import { WEIGHTS } from './ranks.ts';
import { TOP_COUNTERS, TOP_FLOORS } from './tables.ts';

/**
 * SQL of a row's rank within its scope (ranks.ts) in the upper 32 bits and its hash in the lower, so that no two rows are
 * equal.
 */
function rankSql(counters: readonly string[], totals: readonly string[], hash: string): string {
  const shares = TOP_COUNTERS.map(
    (_, index) => `${counters[index]} / greatest(${totals[index]}, 1) * ${WEIGHTS[index]}`,
  );
  return `bitOr(bitShiftLeft(toUInt64(greatest(${shares.join(', ')}) * 4294967295), 32), bitAnd(${hash}, 4294967295))`;
}

/**
 * Makes one list of a coarser table out of the finer one's, for buckets from `{from:UInt32}` to `{to:UInt32}` (seconds since
 * the epoch): what is named is summed and ranked again, what the finer lists had not named stays unnamed. A key that the
 * finer lists named in one bucket and not in another lacks at most the floors of the latter, so floors add up.
 */
export function foldListSql(list: TopList, source: string, target: string, seconds: number): string {
  const keys = ownKeys(list);
  const compared = comparedKeys(list);
  const follows = keys.filter((key) => !compared.includes(key));
  const counters = TOP_COUNTERS.map((_, index) => `c${index}`);
  const scope = ['at', ...SCOPE].join(', ');
  return `INSERT INTO ${target} (list, bucket, other, loader, ${[...SCOPE, ...keys, ...TOP_COUNTERS, ...TOP_FLOORS].join(', ')})
SELECT ${list.id}, at, folded, {loader:UInt32}, ${SCOPE.join(', ')}, ${keys.map((key) => `if(folded, defaultValueOfArgumentType(any(key_${key})), any(key_${key}))`).join(', ')},
  ${counters.map((name) => `sum(${name})`).join(', ')}, ${counters.map((name, index) => `sum(f${index}) + max(left_${name})`).join(', ')}
FROM (
  SELECT *, ${counters.map((name) => `if(folded AND NOT other, sum(if(folded AND NOT other, ${name}, 0)) OVER (PARTITION BY ${scope}, of), 0) AS left_${name}`).join(', ')}
  FROM (
  SELECT *, toUInt8(other OR row_number() OVER (PARTITION BY ${scope} ORDER BY other, rank DESC) > {k:UInt32}) AS folded
  FROM (
    SELECT *, ${rankSql(
      counters,
      counters.map((name) => `sum(${name}) OVER (PARTITION BY ${scope})`),
      'h',
    )} AS rank
    FROM (
      SELECT toStartOfInterval(bucket, INTERVAL ${seconds} SECOND, 'UTC') AS at, ${SCOPE.join(', ')}, other, ${compared.map((key) => `${key} AS key_${key}`).join(', ')}, ${[...follows.map((key) => `any(${key}) AS key_${key}`), ...TOP_COUNTERS.map((name, index) => `sum(${name}) AS c${index}`), ...TOP_FLOORS.map((name, index) => `sum(${name}) AS f${index}`)].join(', ')},
        cityHash64(${compared.map((key) => `key_${key}`).join(', ')}) AS h, cityHash64(${list.of.map((key) => `key_${key}`).join(', ')}) AS of
      FROM ${source}
      WHERE list = ${list.id} AND loader = {loader:UInt32} AND bucket >= toDateTime({from:UInt32}, 'UTC') AND bucket < toDateTime({to:UInt32}, 'UTC')
      GROUP BY at, ${SCOPE.join(', ')}, other, ${compared.map((key) => `key_${key}`).join(', ')}
    )
  ))
)
GROUP BY ${scope}, folded, if(folded, 0, h)`;
}
