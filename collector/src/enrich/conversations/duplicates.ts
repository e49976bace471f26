import { DUPLICATES, FLOW_TYPES, parsePrefix, prefixContains, addressBytes, type Prefix } from '@ringflow/contract';
import { COLUMN_INDEX, type Batch } from '../../wire/index.ts';
import type { DuplicatesConfig } from './config.ts';
import { createExporterIds } from '../exporter-ids.ts';

/**
 * Marks records of packets that another record counts as well (semantics 5.8).
 *
 * (a) A router that watches a packet both where it enters and where it leaves exports it twice: the record of the egress
 * side is the second one, if the router exports what enters that record's input interface.
 *
 * (b) A packet that passes several exporters is exported by each. The first one that exports a direction of a
 * conversation (5-tuple and ToS) is its owner; what others say of it is marked until the owner was silent for twice the
 * active timeout. NAT on the way, or a rewritten ToS, makes it another conversation; so the copies before and behind
 * count both. Exporters that sample choose different packets: of a small flow each may have seen packets that no other
 * one has, so with sampling totals are between once and as often as there are exporters.
 *
 * (c) An exporter that the configuration puts before the owner becomes the owner at once, and the rows of the earlier
 * one that are still in the batch are marked.
 */
export interface Duplicates {
  /** Before the rows of a batch are judged. */
  bind(batch: Batch): void;
  /**
   * The value of `dup` for a row.
   *
   * @param words with the owners of the row's direction at `at`: two of them, for two values of ToS
   * @param nowSeconds when the record arrived
   */
  judge(row: number, words: Int32Array, at: number, tos: number, nowSeconds: number): number;
  /** The exporter that the last judged row took a conversation from, 0 = none: its rows in the batch are copies now. */
  overtaken(): number;
  /** Number of the exporter of the row that was judged last. */
  exporter(): number;
}

export const EGRESS = DUPLICATES.indexOf('egress');
export const OTHER_EXPORTER = DUPLICATES.indexOf('other_exporter');

/** An owner is one word: number of the exporter (12 bits), ToS (8), when it was last seen in units of two seconds (12). */
const MAX_EXPORTERS = 4095;
const TIME_MASK = 0xfff;
/** Interfaces with traffic in one direction; when one set is full it begins anew. */
const MAX_INTERFACES = 16_384;
/** An interface on which the exporter watched one direction lately is one where it still does. */
const INTERFACE_SECONDS = 600;

/** @throws RangeError for an exporter in the list of priorities that is no network */
export function createDuplicates(config: DuplicatesConfig): Duplicates {
  const ttl = Math.ceil((2 * config.active_timeout_ms) / 2000);
  const priorities = config.priority.map((text): Prefix => {
    const prefix = parsePrefix(text);
    if (!prefix)
      throw new RangeError(`enrich.duplicates.priority: ${text} is not a network, write it like 192.0.2.0/24`);
    return prefix;
  });
  /** By exporter: place in the list, those that are not in it come last. */
  const places = new Uint16Array(MAX_EXPORTERS + 1);
  let ranked = 0;
  const ids = createExporterIds(MAX_EXPORTERS, (id) => {
    // Asked again, by the one who has the number now.
    if (id <= ranked) ranked = 0;
  });
  const { count } = config;
  /** Interfaces where packets that enter (`auto`) or leave (`egress`) are exported. */
  const watched = createInterfaceSet();
  let exporters: Uint32Array = NOTHING;
  let types: Uint8Array = NO_BYTES;
  let directions: Uint8Array | null = null;
  let inIfs: Uint32Array | null = null;
  let outIfs: Uint32Array | null = null;
  let exporter = 0;
  let exporterRow = -1;
  let overtaken = 0;

  function placeOf(id: number): number {
    while (ranked < ids.size()) {
      const bytes = addressBytes(ids.words, ++ranked * 4);
      const place = priorities.findIndex((prefix) => prefixContains(prefix, bytes));
      places[ranked] = place < 0 ? priorities.length : place;
    }
    return places[id] as number;
  }

  /** Rows of a datagram stand together. */
  function exporterOf(row: number): number {
    const at = row * 4;
    if (
      exporterRow >= 0 &&
      exporters[at + 3] === exporters[exporterRow * 4 + 3] &&
      exporters[at + 2] === exporters[exporterRow * 4 + 2] &&
      exporters[at + 1] === exporters[exporterRow * 4 + 1] &&
      exporters[at] === exporters[exporterRow * 4] &&
      types[row] === types[exporterRow]
    )
      return exporter;
    exporterRow = row;
    // A switch that sends sFlow beside NetFlow counts the same packets twice.
    exporter = ids.idOf(exporters, at, types[row] === FLOW_TYPES.SFLOW_5 ? 1 : 0);
    return exporter;
  }

  function isOtherSide(row: number, nowSeconds: number): boolean {
    if (!directions || !inIfs || !outIfs) return false;
    const isEgress = directions[row] === 1;
    // What the router sends itself entered nowhere.
    if (inIfs[row] === 0 && count !== 'ingress') return false;
    if (count === 'egress') {
      if (isEgress) watched.note(exporter, outIfs[row] as number, nowSeconds);
      return !isEgress && watched.has(exporter, outIfs[row] as number, nowSeconds);
    }
    if (!isEgress) {
      watched.note(exporter, inIfs[row] as number, nowSeconds);
      return false;
    }
    return count === 'ingress' || watched.has(exporter, inIfs[row] as number, nowSeconds);
  }

  return {
    bind(batch) {
      exporters = (batch.data[COLUMN_INDEX.sampler_address] as Uint32Array | null) ?? NOTHING;
      types = (batch.data[COLUMN_INDEX.type] as Uint8Array | null) ?? NO_BYTES;
      // Where no exporter says a direction, nothing of (a) has to be done.
      const says = count !== 'both' && batch.used[COLUMN_INDEX.flow_direction] === 1;
      directions = says ? (batch.data[COLUMN_INDEX.flow_direction] as Uint8Array | null) : null;
      inIfs = batch.data[COLUMN_INDEX.in_if] as Uint32Array | null;
      outIfs = batch.data[COLUMN_INDEX.out_if] as Uint32Array | null;
      exporterRow = -1;
    },

    judge(row, words, at, tos, nowSeconds) {
      overtaken = 0;
      const own = exporterOf(row);
      const otherSide = directions !== null && isOtherSide(row, nowSeconds);
      const now = (nowSeconds >>> 1) & TIME_MASK;
      const mark = (own << 20) | (tos << 12) | now;
      let free = at;
      for (let way = at; way < at + 2; way++) {
        const owner = words[way] as number;
        if (owner === mark) return otherSide ? EGRESS : 0;
        const silent = (now - owner) & TIME_MASK;
        // Records that were parked carry an earlier time than those before them.
        const isAlive = owner !== 0 && (silent <= ttl || silent > TIME_MASK - ttl);
        if (!isAlive || ((owner >>> 12) & 0xff) !== tos) {
          const other = words[free] as number;
          if (other !== 0 && (owner === 0 || silent > ((now - other) & TIME_MASK))) free = way;
          continue;
        }
        const id = owner >>> 20;
        if (id !== own) {
          if (priorities.length === 0 || placeOf(own) >= placeOf(id)) return otherSide ? EGRESS : OTHER_EXPORTER;
          overtaken = id;
        }
        words[way] = mark;
        return otherSide ? EGRESS : 0;
      }
      words[free] = mark;
      return otherSide ? EGRESS : 0;
    },
    overtaken: () => overtaken,
    exporter: () => exporter,
  };
}

const NOTHING = new Uint32Array(0);
const NO_BYTES = new Uint8Array(0);

interface InterfaceSet {
  note(exporter: number, ifIndex: number, nowSeconds: number): void;
  has(exporter: number, ifIndex: number, nowSeconds: number): boolean;
}

/** Interfaces of exporters with the time when something was noted of them last. */
function createInterfaceSet(): InterfaceSet {
  const exporters = new Uint16Array(MAX_INTERFACES * 2);
  const interfaces = new Uint32Array(MAX_INTERFACES * 2);
  const times = new Uint32Array(MAX_INTERFACES * 2);
  const mask = MAX_INTERFACES * 2 - 1;
  let size = 0;

  /** Where it stands, or the free place where it would. */
  function placeOf(exporter: number, ifIndex: number): number {
    let place = (Math.imul(Math.imul(exporter, 0x9e37_79b1) ^ ifIndex, 0x85eb_ca6b) >>> 15) & mask;
    while (exporters[place] !== 0 && (interfaces[place] !== ifIndex || exporters[place] !== exporter))
      place = (place + 1) & mask;
    return place;
  }

  return {
    note(exporter, ifIndex, nowSeconds) {
      let place = placeOf(exporter, ifIndex);
      if (exporters[place] === 0) {
        if (size === MAX_INTERFACES) {
          exporters.fill(0);
          size = 0;
          place = placeOf(exporter, ifIndex);
        }
        size++;
        exporters[place] = exporter;
        interfaces[place] = ifIndex;
      }
      times[place] = nowSeconds;
    },
    has(exporter, ifIndex, nowSeconds) {
      const place = placeOf(exporter, ifIndex);
      return exporters[place] !== 0 && ((nowSeconds - (times[place] as number)) | 0) <= INTERFACE_SECONDS;
    },
  };
}
