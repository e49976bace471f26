import { RESOLUTIONS, TOP_LISTS, TOP_RESOLUTIONS } from '@ringflow/contract';
import type { Store } from '../service.ts';
import { allRows } from './world.ts';

/**
 * Each list of each resolution, summed by bucket, exporter and kind of duplicate, must be the ring of exporters of that
 * resolution: nothing missing, nothing twice.
 */
export async function expectListsEqualRings(store: Store): Promise<void> {
  const scope = 'toUnixTimestamp(bucket) AS at, sampler_address, dup';
  const sums = 'sum(bytes), sum(packets), sum(flows)';
  const group = 'GROUP BY at, sampler_address, dup ORDER BY at, sampler_address, dup';
  for (const { name, table } of TOP_RESOLUTIONS) {
    const rings = RESOLUTIONS.find((resolution) => resolution.name === name)?.table as string;
    const expected = await allRows(store, `SELECT ${scope}, ${sums} FROM ${rings} WHERE ring = 1 ${group}`);
    expect(expected.length).toBeGreaterThan(2);
    for (const list of TOP_LISTS) {
      const found = await allRows(store, `SELECT ${scope}, ${sums} FROM ${table} WHERE list = ${list.id} ${group}`);
      expect({ table, list: list.name, sums: found }).toEqual({ table, list: list.name, sums: expected });
    }
  }
}
