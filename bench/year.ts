import { RESOLUTIONS, RINGS, TOP_LISTS, TOP_RESOLUTIONS, type ColumnName } from '@ringflow/contract';
import type { Engine } from '../collector/src/store/index.ts';
import { insertRecords } from '../collector/src/store/testing/records.ts';

const DAY_SECONDS = 86_400;

/** Values of a key by the number `k` of its row, for as many rows as `count` in a bucket. */
interface Keys {
  readonly count: number;
  readonly columns: Readonly<Partial<Record<ColumnName, string>>>;
}

const EXPORTER = "toIPv6(concat('192.0.2.', toString(k % 4)))";

/** Distinct keys of each ring in a bucket: a site with 4 exporters, 48 interfaces, 300 services and 500 pairs of AS each. */
const RING_KEYS: Readonly<Record<(typeof RINGS)[number]['name'], Keys>> = {
  total: { count: 1, columns: {} },
  exporter: {
    count: 8,
    columns: { sampler_address: EXPORTER, type: '4', etype: 'if(k < 4, 2048, 34525)' },
  },
  interface_in: { count: 192, columns: { sampler_address: EXPORTER, in_if: 'intDiv(k, 4)' } },
  interface_out: { count: 192, columns: { sampler_address: EXPORTER, out_if: 'intDiv(k, 4)' } },
  direction: {
    count: 32,
    columns: { sampler_address: EXPORTER, direction: 'intDiv(k, 8)', locality: 'intDiv(k, 4) % 2' },
  },
  tos: { count: 80, columns: { sampler_address: EXPORTER, direction: 'k % 2', ip_tos: 'intDiv(k, 8) * 8' } },
  tcp_flags: { count: 80, columns: { sampler_address: EXPORTER, direction: 'k % 2', tcp_flags: 'intDiv(k, 8)' } },
  vlan: { count: 40, columns: { sampler_address: EXPORTER, vlan_id: 'intDiv(k, 4)' } },
  service: {
    count: 1200,
    columns: { sampler_address: EXPORTER, proto: 'if(k % 3 = 0, 17, 6)', service: '6 * 65536 + intDiv(k, 4)' },
  },
  application: { count: 240, columns: { sampler_address: EXPORTER, direction: 'k % 2', app: 'intDiv(k, 8)' } },
  threat: { count: 16, columns: { sampler_address: EXPORTER, src_threat: 'intDiv(k, 4)' } },
  country: {
    count: 400,
    columns: {
      sampler_address: EXPORTER,
      direction: 'k % 2',
      src_country: '17477',
      dst_country: '16705 + intDiv(k, 4)',
    },
  },
  as: { count: 2000, columns: { sampler_address: EXPORTER, src_as: '64512', dst_as: '100 + intDiv(k, 4)' } },
  network_service: {
    count: 600,
    columns: { sampler_address: EXPORTER, src_network: 'k % 5', proto: '6', service: '6 * 65536 + intDiv(k, 4)' },
  },
};

/** Rows that are named of each list, bucket and exporter. */
const NAMED = 1000;

/** The lists that are asked; 1,000 names of each of 4 exporters, not the same ones in every bucket. */
const LIST_KEYS: Readonly<Partial<Record<(typeof TOP_LISTS)[number]['name'], Keys>>> = {
  source: {
    count: 4 * NAMED,
    columns: {
      sampler_address: EXPORTER,
      direction: 'k % 2',
      src_addr: "toIPv6(concat('10.1.', toString(intDiv(k, 1000)), '.', toString((intDiv(k, 4) + b * 7) % 250)))",
      src_country: '17477',
    },
  },
  conversation: {
    count: 4 * NAMED,
    columns: {
      sampler_address: EXPORTER,
      src_addr: "toIPv6(concat('10.1.', toString(intDiv(k, 1000)), '.', toString((intDiv(k, 4) + b * 7) % 250)))",
      dst_addr: "toIPv6(concat('10.2.0.', toString((intDiv(k, 4) + b) % 250)))",
      proto: '6',
    },
  },
};

/** Days that are filled, by resolution. */
export interface YearDays {
  readonly '1m': number;
  readonly '5m': number;
  readonly '1h': number;
  readonly '1d': number;
  /** Of `top_5m`, `top_1h` and `top_1d`. */
  readonly top: readonly [number, number, number];
}

/**
 * Puts rows into rings and top lists as years of such a site leave them. The sums are of no meaning. Resolves with the
 * rows by table.
 */
export async function fillYear(engine: Engine, endMs: number, days: YearDays): Promise<Record<string, number>> {
  const rows: Record<string, number> = {};
  const end = Math.floor(endMs / (DAY_SECONDS * 1000)) * DAY_SECONDS;
  const fill = async (
    table: string,
    seconds: number,
    many: number,
    keys: Keys,
    more: Readonly<Record<string, string>>,
  ) => {
    const columns = Object.entries({ ...keys.columns, ...more });
    // In portions: memory must not grow with the years.
    const buckets = Math.max(1, Math.floor(5_000_000 / keys.count));
    const all = (many * DAY_SECONDS) / seconds;
    for (let first = 0; first < all; first += buckets) {
      const count = Math.min(buckets, all - first) * keys.count;
      const begin = end - many * DAY_SECONDS + first * seconds;
      await engine.exec(
        `INSERT INTO ${table} (bucket, ${columns.map(([name]) => name).join(', ')}, bytes, packets, flows)
SELECT toDateTime(${begin} + b * ${seconds}, 'UTC'), ${columns.map(([, value]) => value).join(', ')}, intDiv(1000000000, k + 1) + b % 1000, 1000 + k % 100, 1 + k % 10
FROM (SELECT intDiv(number, ${keys.count}) AS b, number % ${keys.count} AS k FROM numbers(${count}))`,
      );
      rows[table] = (rows[table] ?? 0) + count;
    }
  };
  for (const { name: resolution, table, seconds } of RESOLUTIONS) {
    for (const { id, name } of RINGS) {
      const minutes = seconds / 60;
      const peaks: Record<string, string> =
        minutes === 1 ? {} : { peak_bytes: `intDiv(1000000000, (k + 1) * ${minutes}) * 2` };
      await fill(table, seconds, days[resolution], RING_KEYS[name], { ring: String(id), ...peaks });
    }
    await engine.exec(`OPTIMIZE TABLE ${table} FINAL`);
  }
  for (const [index, { table, seconds }] of TOP_RESOLUTIONS.entries()) {
    for (const { id, name } of TOP_LISTS) {
      const keys = LIST_KEYS[name];
      if (!keys) continue;
      const many = days.top[index] ?? 0;
      await fill(table, seconds, many, keys, { list: String(id) });
      const rest: Keys = { count: 4, columns: { sampler_address: EXPORTER } };
      await fill(table, seconds, many, rest, { list: String(id), other: '1', floor_bytes: '1000' });
    }
    await engine.exec(`OPTIMIZE TABLE ${table} FINAL`);
  }
  return rows;
}

/** Single records of the last minutes that no list has yet. */
export async function fillOpen(engine: Engine, endMs: number, count: number): Promise<void> {
  const at = (ms: string) => `fromUnixTimestamp64Milli(${ms}, 'UTC')`;
  await insertRecords(
    engine,
    (
      table,
    ) => `INSERT INTO ${table} (time_received_ns, time_flow_start_ns, time_flow_end_ns, sampler_address, src_addr, dst_addr, proto, bytes, packets)
SELECT ${at(`${endMs - 300_000} + number % 300000`)}, ${at(`${endMs - 330_000} + number % 300000`)}, ${at(`${endMs - 300_000} + number % 300000`)}, ${EXPORTER.replace('k', 'number')}, toIPv6(concat('10.1.0.', toString(number % 250))), toIPv6('10.2.0.1'), 6, 1000, 2
FROM numbers(${count})`,
  );
}
