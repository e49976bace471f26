import { RESOLUTIONS, RINGS } from '@ringflow/contract';
import type { Engine } from '../collector/src/store/index.ts';

const HOUR_MS = 3_600_000;
const DAY_SECONDS = 86_400;

/** Distinct keys of each ring in an hour: a site with 4 exporters, 48 interfaces, 300 services and 500 pairs of AS each. */
const KEYS: Readonly<Record<(typeof RINGS)[number]['name'], { count: number; columns: string }>> = {
  exporter: {
    count: 8,
    columns:
      "toIPv6(concat('192.0.2.', toString(k % 4))) AS sampler_address, 4 AS type, if(k < 4, 2048, 34525) AS etype",
  },
  interface_in: {
    count: 192,
    columns: "toIPv6(concat('192.0.2.', toString(k % 4))) AS sampler_address, intDiv(k, 4) AS in_if",
  },
  interface_out: {
    count: 192,
    columns: "toIPv6(concat('192.0.2.', toString(k % 4))) AS sampler_address, intDiv(k, 4) AS out_if",
  },
  service: {
    count: 1200,
    columns:
      "toIPv6(concat('192.0.2.', toString(k % 4))) AS sampler_address, if(k % 3 = 0, 17, 6) AS proto, proto * 65536 + intDiv(k, 4) AS service",
  },
  as: {
    count: 2000,
    columns:
      "toIPv6(concat('192.0.2.', toString(k % 4))) AS sampler_address, 64512 AS src_as, 100 + intDiv(k, 4) AS dst_as",
  },
};

/**
 * Puts rows into the rings as a year of such a site leaves them: every hour of the year, every minute of its last week
 * (`minuteDays`). The sums are of no meaning. Resolves with the rows by table.
 */
export async function fillYear(engine: Engine, endMs: number, minuteDays: number): Promise<Record<string, number>> {
  const rows: Record<string, number> = {};
  for (const { table, seconds } of RESOLUTIONS) {
    const days = seconds < 3600 ? minuteDays : 365;
    const end = Math.floor(endMs / HOUR_MS) * 3600;
    for (const { id, name } of RINGS) {
      const { count, columns } = KEYS[name];
      // In portions: memory must not grow with the year.
      const portion = seconds < 3600 ? 1 : 73;
      for (let day = 0; day < days; day += portion) {
        const inserted = (count * portion * DAY_SECONDS) / seconds;
        const first = end - (day + portion) * DAY_SECONDS;
        await engine.exec(
          `INSERT INTO ${table} (ring, bucket, ${[...columns.matchAll(/AS (\w+)(?=,|$)/g)].map(([, column]) => column).join(', ')}, bytes, packets, flows)
SELECT ${id}, toDateTime(${first} + intDiv(number, ${count}) * ${seconds}, 'UTC'), ${columns.replaceAll(/\bk\b/g, `(number % ${count})`)}, 1000000 + number % 100000, 1000 + number % 100, 1 + number % 10
FROM numbers(${inserted})`,
        );
        rows[table] = (rows[table] ?? 0) + inserted;
      }
    }
    await engine.exec(`OPTIMIZE TABLE ${table} FINAL`);
  }
  return rows;
}
