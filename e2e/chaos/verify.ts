import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FLOW_TYPES, RESOLUTIONS, RINGS, type DropCount } from '@ringflow/contract';
import { createEmbeddedEngine, STORE_DEFAULTS } from '../../collector/src/store/index.ts';
import { BYTES_SQL } from './load.ts';

/** What the data directory of a stopped collector holds. */
export interface Stored {
  readonly ledger: { readonly received: number; readonly stored: number; readonly dropped: readonly DropCount[] };
  readonly rows: number;
  /** Rows by record number. */
  readonly times: ReadonlyMap<number, number>;
  /** Rows whose number, bytes or packets are none that were sent. */
  readonly wrongRows: number;
  /** Cells (resolution, ring, key, or the same with the bucket) whose sums differ from those of the raw table. */
  readonly ringDifferences: readonly string[];
  readonly ringCells: number;
}

interface Sums {
  readonly differing: number;
  readonly cells: number;
}

/** Reads the engine itself, without the collector in between. */
export async function readStored(dataDirectory: string): Promise<Stored> {
  const ledger = JSON.parse(readFileSync(join(dataDirectory, 'ledger.json'), 'utf8')) as Stored['ledger'];
  const engine = createEmbeddedEngine({
    path: join(dataDirectory, 'store'),
    database: STORE_DEFAULTS.database,
    querySlots: 1,
    maxWaiting: 10,
    maxMemoryBytes: 2 ** 31,
  });
  await engine.open();
  try {
    const id = "bitAnd(IPv4StringToNum(replaceOne(toString(src_addr), '::ffff:', '')), 16777215)";
    const inTen = "startsWith(toString(src_addr), '::ffff:10.')";
    const [{ rows, wrong }] = (await engine.select<{ rows: number; wrong: number }>(
      `SELECT count() AS rows, countIf(NOT (in_ten AND bytes = ${BYTES_SQL} AND packets = if(type = ${FLOW_TYPES.SFLOW_5}, 1, 1 + id % 7))) AS wrong
       FROM (SELECT ${inTen} AS in_ten, if(in_ten, ${id}, 0) AS id, bytes, packets, type FROM flows)`,
    )) as [{ rows: number; wrong: number }];
    const times = new Map<number, number>();
    for (const row of await engine.select<{ id: number; n: number }>(
      `SELECT ${id} AS id, count() AS n FROM flows WHERE ${inTen} GROUP BY id`,
    ))
      times.set(Number(row.id), Number(row.n));

    const ringDifferences: string[] = [];
    let ringCells = 0;
    for (const { name, table, seconds } of RESOLUTIONS) {
      for (const ring of RINGS) {
        const keys = ring.keys.join(', ');
        const bucket = `toStartOfInterval(time_flow_end_ns, INTERVAL ${seconds} SECOND, 'UTC')`;
        const compare = async (what: string, ringSelect: string, rawSelect: string): Promise<void> => {
          const [sums] = await engine.select<Sums>(
            `SELECT countIf(n != 2) AS differing, count() AS cells FROM (SELECT *, count() AS n FROM (${ringSelect} UNION ALL ${rawSelect}) GROUP BY ALL)`,
          );
          ringCells += Number(sums?.cells);
          if (Number(sums?.differing) > 0)
            ringDifferences.push(`${name} ${ring.name} ${what}: ${sums?.differing} cells`);
        };
        await compare(
          'sums',
          `SELECT ${keys}, toUInt64(sum(bytes)) AS b, toUInt64(sum(packets)) AS p, toUInt64(sum(flows)) AS f FROM ${table} WHERE ring = ${ring.id} GROUP BY ${keys}`,
          `SELECT ${keys}, toUInt64(sum(bytes * greatest(sampling_rate, 1))) AS b, toUInt64(sum(packets * greatest(sampling_rate, 1))) AS p, toUInt64(count()) AS f FROM flows GROUP BY ${keys}`,
        );
        await compare(
          'flows by bucket',
          `SELECT ${keys}, toUnixTimestamp(bucket) AS t, toUInt64(sum(flows)) AS f FROM ${table} WHERE ring = ${ring.id} GROUP BY ${keys}, t HAVING f > 0`,
          `SELECT ${keys}, toUnixTimestamp(${bucket}) AS t, toUInt64(count()) AS f FROM flows GROUP BY ${keys}, t`,
        );
      }
    }
    return { ledger, rows: Number(rows), times, wrongRows: Number(wrong), ringDifferences, ringCells };
  } finally {
    await engine.close();
  }
}
