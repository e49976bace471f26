import { QUALITY } from '@ringflow/contract';
import { COLUMN_INDEX, useColumn, type Batch } from '../wire/index.ts';
import type { Step } from './step.ts';

/** `fw_event`: the connection ended; its counters changed. */
const DELETED = 2;
const UPDATED = 5;

/** Connections remembered: sets of two. The two events come together, so a little memory goes a long way. */
const SETS = 32_768;
const WAYS = 2;
/** Words per entry: exporter (hash), connection id (2), addresses and ports (hash), bytes (2), packets (2). */
const WORDS = 8;

/**
 * Cisco ASA repeats the totals of a connection's last update when it ends: the counters of the end event are zeroed
 * when an update of the same connection carried the same ones (F02). The row stays, as an event without traffic.
 * [v9-cisco-asa-2 records 1 and 2]
 *
 * Needs `flow_id`, which is not stored: the batch must be asked to keep it (`ENRICH_COLUMNS`).
 */
export function createAsaStep(): Step {
  const cache = new Uint32Array(SETS * WAYS * WORDS);
  const entry = new Uint32Array(WORDS);

  return (batch: Batch, from: number, to: number): void => {
    if (batch.used[COLUMN_INDEX.fw_event] === 0 || batch.used[COLUMN_INDEX.flow_id] === 0) return;
    const events = batch.data[COLUMN_INDEX.fw_event] as Uint8Array | null;
    const ids = batch.data[COLUMN_INDEX.flow_id] as Uint32Array | null;
    const bytes = batch.data[COLUMN_INDEX.bytes] as Uint32Array | null;
    if (!events || !ids || !bytes) return;
    const packets = batch.data[COLUMN_INDEX.packets] as Uint32Array | null;
    for (let row = from; row < to; row++) {
      const event = events[row] as number;
      if (event !== DELETED && event !== UPDATED) continue;
      const at = row * 2;
      if ((ids[at] as number) === 0 && (ids[at + 1] as number) === 0) continue;
      entry[0] = hashOf(batch, COLUMN_INDEX.sampler_address, row, 0x9e3779b1);
      entry[1] = ids[at] as number;
      entry[2] = ids[at + 1] as number;
      // The two directions of a connection are two rows with one id.
      entry[3] = hashOf(batch, COLUMN_INDEX.src_addr, row, portsOf(batch, row));
      entry[4] = bytes[at] as number;
      entry[5] = bytes[at + 1] as number;
      entry[6] = packets ? (packets[at] as number) : 0;
      entry[7] = packets ? (packets[at + 1] as number) : 0;
      if ((entry[4] as number) === 0 && (entry[5] as number) === 0) continue;
      const set =
        (Math.imul((entry[1] as number) ^ (entry[3] as number) ^ (entry[0] as number), 0x85ebca6b) >>> 17) *
        WAYS *
        WORDS;
      if (event === UPDATED) remember(set);
      else if (takeOut(set)) {
        bytes[at] = 0;
        bytes[at + 1] = 0;
        if (packets) {
          packets[at] = 0;
          packets[at + 1] = 0;
        }
        const flags = useColumn(batch, COLUMN_INDEX.quality) as Uint32Array;
        flags[row] = (flags[row] as number) | QUALITY.counters_repeated;
      }
    }
  };

  function remember(set: number): void {
    const way = indexOf(set, 4);
    if (way === 0) {
      cache.set(entry, set);
      return;
    }
    // The newer one first; the older of the two is pushed out.
    cache.copyWithin(set + WORDS, set, set + WORDS);
    cache.set(entry, set);
  }

  /** True when an update with the same counters is there; each one explains one end only. */
  function takeOut(set: number): boolean {
    const way = indexOf(set, WORDS);
    if (way < 0) return false;
    cache.fill(0, set + way * WORDS, set + (way + 1) * WORDS);
    return true;
  }

  /** The entry of the set whose first `words` words are those of `entry`, or -1. */
  function indexOf(set: number, words: number): number {
    for (let way = 0; way < WAYS; way++) {
      let word = 0;
      while (word < words && cache[set + way * WORDS + word] === entry[word]) word++;
      if (word === words) return way;
    }
    return -1;
  }
}

function portsOf(batch: Batch, row: number): number {
  const sources = batch.data[COLUMN_INDEX.src_port];
  const destinations = batch.data[COLUMN_INDEX.dst_port];
  return ((sources?.[row] ?? 0) << 16) | (destinations?.[row] ?? 0);
}

function hashOf(batch: Batch, index: number, row: number, seed: number): number {
  const words = batch.data[index];
  let hash = seed;
  for (let i = 0; words && i < 4; i++) {
    hash = Math.imul(hash ^ (words[row * 4 + i] as number), 0x85ebca6b);
    hash ^= hash >>> 13;
  }
  return hash >>> 0;
}
