import { COLUMN_INDEX, createBatch, useColumn, type Batch } from '../../wire/index.ts';
import { RING_KEYS } from '../rings.ts';
import { createRandom, writeIpv4, writeTime } from './batches.ts';

export interface WildOptions {
  readonly rows: number;
  readonly seed: number;
  /** Milliseconds since the epoch at which the records arrive. */
  readonly receivedMs: number;
  /** How long before their arrival flows may end; most ended lately. */
  readonly latestMs?: number;
  /** Longest flow; most are short, a fifth has no duration. */
  readonly longestMs?: number;
}

/**
 * Records of which every key of every ring has several values, with flows that come late, last long, overlap, end on
 * a bucket's boundary and are sampled: what sums have to survive.
 */
export function createWildTraffic(options: WildOptions): Batch {
  const { rows, seed, receivedMs, latestMs = 6 * 3_600_000, longestMs = 4 * 3_600_000 } = options;
  const random = createRandom(seed);
  const batch = createBatch({ rowLimit: rows });
  const column = (name: keyof typeof COLUMN_INDEX) => useColumn(batch, COLUMN_INDEX[name]) as Uint32Array;
  for (let row = 0; row < rows; row++) {
    const exactMs = receivedMs - Math.floor(random() ** 5 * latestMs);
    const endMs = row % 7 === 0 ? Math.floor(exactMs / 60_000) * 60_000 : exactMs;
    const durationMs = row % 5 === 0 ? 0 : Math.floor(random() ** 6 * longestMs);
    writeTime(column('time_received_ns'), row, receivedMs, 0);
    writeTime(column('time_flow_start_ns'), row, endMs - durationMs, 0);
    writeTime(column('time_flow_end_ns'), row, endMs, 0);
    const bytes = Math.floor(random() ** 4 * 2 ** 34);
    column('bytes')[row * 2] = bytes >>> 0;
    column('bytes')[row * 2 + 1] = Math.floor(bytes / 2 ** 32);
    column('packets')[row * 2] = 1 + Math.floor(random() * 1e6);
    column('sampling_rate')[row] = [0, 1, 1000][row % 3] as number;
    for (const { name, type } of RING_KEYS) {
      const value = Math.floor(random() ** 2 * 3);
      if (type === 'addr') writeIpv4(column(name as 'sampler_address'), row, 0x0aff0001 + value);
      else column(name as 'in_if')[row] = value;
    }
  }
  batch.rows = rows;
  return batch;
}
