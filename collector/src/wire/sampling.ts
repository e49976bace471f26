import { QUALITY } from '@ringflow/contract';
import type { ColumnData } from './batch.ts';
import type { OptionsField } from './decoder.ts';
import { lowWord, rateOf, readFloat } from './field-values.ts';
import type { Session } from './sessions.ts';

/** What holds for the records of one session right now. */
export interface Rates {
  /** Of the address when this was put together. */
  readonly generation: number;
  /** Of all addresses when this was last found to hold. */
  checked: number;
  /** For records that name no sampler; 0 = the exporter has not said (S08). */
  readonly wide: number;
  readonly bySampler: ReadonlyMap<number, number>;
  readonly byInterface: ReadonlyMap<number, number>;
}

/** Sampling as one session announced it in options data. */
interface Announced {
  readonly session: Session;
  wide: number;
  /** Null while empty: a flood announces one rate each from very many sessions. */
  bySampler: Map<number, number> | null;
  byInterface: Map<number, number> | null;
  order: number;
}

/** All that one address announced. */
interface Address {
  readonly sessions: Map<string, Announced>;
  /** Another one after each change: what one exporter announces costs the others nothing. */
  generation: number;
  /** Samplers and interfaces over all sessions. */
  entries: number;
}

/** The form that is kept on disk (T12). */
export interface SavedSampling {
  wide: number;
  samplers: [number, number][];
  interfaces: [number, number][];
}

export interface Sampling {
  /** Takes an options record; does nothing unless it tells a rate (S02–S06). @returns true when something changed */
  learn(session: Session, fields: readonly OptionsField[]): boolean;
  /** S02: the session's own, then other ports of the same domain, then any domain of the address. */
  ratesOf(session: Session): Rates;
  forget(session: Session): void;
  save(session: Session): SavedSampling | null;
  restore(session: Session, saved: SavedSampling): void;
}

/** Samplers, and interfaces, remembered per session (X02), */
const MAX_ENTRIES = 4096;
/** both together per address, */
const MAX_ENTRIES_PER_ADDRESS = 8192;
/** and over all addresses; */
const MAX_ENTRIES_TOTAL = 65_536;
/** but so many any address may have, so that a flood does not keep others from saying their rate. */
const FREE_ENTRIES = 16;
const NONE: ReadonlyMap<number, number> = new Map();
/** Entries in what was put together for sessions: each of an address's many has its own copy, made again when needed. */
const MAX_MERGED_TOTAL = 131_072;

export function createSampling(): Sampling {
  const byAddress = new Map<string, Address>();
  let generation = 0;
  let entries = 0;
  /** Sessions with large rates, the longest unmerged first, and how many entries these have. */
  const merged = new Map<Session, number>();
  let mergedEntries = 0;

  function noteMerged(session: Session, size: number): void {
    mergedEntries -= merged.get(session) ?? 0;
    merged.delete(session);
    if (size <= FREE_ENTRIES) return;
    merged.set(session, size);
    mergedEntries += size;
    for (const [oldest, oldSize] of merged) {
      if (mergedEntries <= MAX_MERGED_TOTAL || oldest === session) break;
      merged.delete(oldest);
      mergedEntries -= oldSize;
      oldest.rates = null;
    }
  }

  function addressOf(session: Session): Address {
    let address = byAddress.get(session.address);
    if (!address) {
      address = { sessions: new Map(), generation: 0, entries: 0 };
      byAddress.set(session.address, address);
    }
    return address;
  }

  function announcedBy(session: Session): Announced {
    const { sessions } = addressOf(session);
    let announced = sessions.get(session.key);
    if (!announced) {
      announced = { session, wide: 0, bySampler: null, byInterface: null, order: 0 };
      sessions.set(session.key, announced);
    }
    return announced;
  }

  /** X02. @returns false when there is no room for another entry */
  function put(table: Map<number, number>, address: Address, id: number, rate: number): boolean {
    if (!table.has(id)) {
      if (
        table.size >= MAX_ENTRIES ||
        address.entries >= MAX_ENTRIES_PER_ADDRESS ||
        (entries >= MAX_ENTRIES_TOTAL && address.entries >= FREE_ENTRIES)
      )
        return false;
      address.entries++;
      entries++;
    }
    table.set(id, rate);
    return true;
  }

  function merge(session: Session): Rates {
    const address = byAddress.get(session.address);
    const all = [...(address?.sessions.values() ?? [])];
    const nearness = (a: Announced): number =>
      a.session === session ? 2 : a.session.domain === session.domain ? 1 : 0;
    all.sort((a, b) => nearness(a) - nearness(b) || a.order - b.order);
    let wide = 0;
    for (const announced of all) if (announced.wide > 0) wide = announced.wide;
    const bySampler = joined(all.map((announced) => announced.bySampler));
    const byInterface = joined(all.map((announced) => announced.byInterface));
    noteMerged(session, bySampler.size + byInterface.size);
    return { generation: address?.generation ?? 0, checked: generation, wide, bySampler, byInterface };
  }

  function joined(tables: readonly (Map<number, number> | null)[]): ReadonlyMap<number, number> {
    let sum: Map<number, number> | null = null;
    for (const table of tables) for (const [id, rate] of table ?? NONE) (sum ??= new Map()).set(id, rate);
    return sum ?? NONE;
  }

  return {
    learn(session, fields) {
      const told = readSampling(fields);
      if (told.rate === 0) return false;
      const announced = announcedBy(session);
      const address = addressOf(session);
      const table =
        told.sampler >= 0
          ? (announced.bySampler ??= new Map())
          : told.ifIndex > 0
            ? (announced.byInterface ??= new Map())
            : null;
      const id = told.sampler >= 0 ? told.sampler : told.ifIndex;
      if (table ? table.get(id) === told.rate : announced.wide === told.rate) return false;
      if (!table) announced.wide = told.rate;
      else if (!put(table, address, id, told.rate)) return false;
      announced.order = address.generation = ++generation;
      return true;
    },

    ratesOf(session) {
      const { rates } = session;
      if (rates?.checked === generation) return rates;
      if (rates && rates.generation === (byAddress.get(session.address)?.generation ?? 0)) {
        rates.checked = generation;
        return rates;
      }
      return (session.rates = merge(session));
    },

    forget(session) {
      noteMerged(session, 0);
      session.rates = null;
      const address = byAddress.get(session.address);
      const announced = address?.sessions.get(session.key);
      if (!address || !announced) return;
      address.sessions.delete(session.key);
      const gone = (announced.bySampler?.size ?? 0) + (announced.byInterface?.size ?? 0);
      address.entries -= gone;
      entries -= gone;
      address.generation = ++generation;
      if (address.sessions.size === 0) byAddress.delete(session.address);
    },

    save(session) {
      const announced = byAddress.get(session.address)?.sessions.get(session.key);
      if (!announced) return null;
      const { wide, bySampler, byInterface } = announced;
      return { wide, samplers: [...(bySampler ?? NONE)], interfaces: [...(byInterface ?? NONE)] };
    },

    restore(session, saved) {
      const announced = announcedBy(session);
      announced.wide = saved.wide;
      const address = addressOf(session);
      const samplers = (announced.bySampler ??= new Map());
      const interfaces = (announced.byInterface ??= new Map());
      for (const [id, rate] of saved.samplers) put(samplers, address, id, rate);
      for (const [id, rate] of saved.interfaces) put(interfaces, address, id, rate);
      announced.order = address.generation = ++generation;
    },
  };
}

/**
 * Writes the sampling rates of rows whose records were just written; a rate in the record itself wins (S06).
 *
 * @param samplerIds by row counted from `from`; null when the template names no sampler
 * @param inIf the `in_if` column, for exporters that announce a rate per interface; null when it is not kept
 */
export function fillRates(
  rates: Rates,
  data: Uint32Array,
  quality: ColumnData,
  inIf: Uint32Array | null,
  samplerIds: Uint32Array | null,
  hasRate: boolean,
  from: number,
  to: number,
): void {
  const { wide, bySampler, byInterface } = rates;
  const perInterface = byInterface.size > 0 && inIf !== null;
  if (!samplerIds && !hasRate && !perInterface) {
    for (let row = from; row < to; row++) data[row] = wide;
    if (wide === 0)
      for (let row = from; row < to; row++) quality[row] = (quality[row] as number) | QUALITY.sampling_unknown;
    return;
  }
  let lastId = -1;
  let lastRate = 0;
  for (let row = from; row < to; row++) {
    let rate = hasRate ? (data[row] as number) : 0;
    if (rate === 0 && samplerIds) {
      const id = samplerIds[row - from] as number;
      if (id !== lastId) {
        lastId = id;
        // S03: where samplers are announced, id 0 means that the packet was not sampled.
        lastRate = bySampler.get(id) ?? (id === 0 && bySampler.size > 0 ? 1 : 0);
      }
      rate = lastRate;
    }
    if (rate === 0 && perInterface) rate = byInterface.get(inIf[row] as number) ?? 0;
    if (rate === 0) rate = wide;
    data[row] = rate;
    if (rate === 0) quality[row] = (quality[row] as number) | QUALITY.sampling_unknown;
  }
}

function readSampling(fields: readonly OptionsField[]): { rate: number; sampler: number; ifIndex: number } {
  let interval = 0;
  let packetInterval = 0;
  let packetSpace = -1;
  let size = 0;
  let population = 0;
  let probability = 0;
  let sampler = -1;
  let ifIndex = 0;
  for (const field of fields) {
    if (field.pen !== 0 || field.bytes.length === 0) continue;
    const value = numberOf(field.bytes);
    // NetFlow v9 scope 2 is an interface (T20); in IPFIX it is element 10 like any other field.
    if (field.scope) {
      if (field.id === 2) ifIndex = value;
      continue;
    }
    if (field.id === 34 || (field.id === 50 && interval === 0)) interval = value;
    else if (field.id === 305) packetInterval = value;
    else if (field.id === 306) packetSpace = value;
    else if (field.id === 309) size = value;
    else if (field.id === 310) population = value;
    else if (field.id === 311) probability = readFloat(viewOf(field.bytes), 0, field.bytes.length);
    else if (field.id === 48 || field.id === 302) sampler = value;
    else if (field.id === 10) ifIndex = value;
  }
  return { rate: rateOf(interval, packetInterval, packetSpace, size, population, probability), sampler, ifIndex };
}

function numberOf(bytes: Uint8Array): number {
  return lowWord(viewOf(bytes), 0, bytes.length);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
