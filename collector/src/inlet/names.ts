import { FLOW_TYPES, type NameEntry } from '@ringflow/contract';
import type { CountersRecord, OptionsField, OptionsRecord, Source } from '../wire/index.ts';

export interface Names {
  options(record: OptionsRecord): void;
  counters(record: CountersRecord): void;
  /** What proven senders said that is new or changed since the last call; the rest comes with the next call. */
  take(): NameEntry[];
  /** Keys ({@link nameKey}) of what was taken and had to go since the last call. */
  takeGone(): string[];
  /** Puts back what was known before a restart. */
  restore(updates: Iterable<NameEntry>): void;
  /** All that proven senders said. */
  entries(): Iterable<NameEntry>;
  status(): NamesStatus;
}

export interface NamesStatus {
  readonly names: number;
  readonly senders: number;
  /** Names that had to make room, and names for which there was none, since start. */
  readonly evicted: number;
  readonly refused: number;
}

/** Element numbers (IANA): RFC 7012, and Cisco's for options of NetFlow v9. */
const IE = {
  ingressInterface: 10,
  samplerId: 48,
  interfaceName: 82,
  interfaceDescription: 83,
  samplerName: 84,
  applicationDescription: 94,
  applicationId: 95,
  applicationName: 96,
  ingressVrf: 234,
  egressVrf: 235,
  vrfName: 236,
  selectorId: 302,
  selectorName: 335,
} as const;

/** RFC 3954 6.1: scope types have numbers of their own (T20). */
const V9_SCOPE_INTERFACE = 2;

/** `source_id_type` 0 of sFlow: the index is an ifIndex. */
const SFLOW_INTERFACE = 0;
const MAX_TEXT = 256;

/** One kind of name: which elements hold the id and the texts. */
interface Kind {
  readonly kind: NameEntry['kind'];
  readonly ids: readonly number[];
  readonly name: number;
  readonly description: number | null;
}

const KINDS: readonly Kind[] = [
  { kind: 'interface', ids: [IE.ingressInterface], name: IE.interfaceName, description: IE.interfaceDescription },
  { kind: 'vrf', ids: [IE.ingressVrf, IE.egressVrf], name: IE.vrfName, description: null },
  { kind: 'application', ids: [IE.applicationId], name: IE.applicationName, description: IE.applicationDescription },
  { kind: 'sampler', ids: [IE.samplerId], name: IE.samplerName, description: null },
  { kind: 'sampler', ids: [IE.selectorId], name: IE.selectorName, description: null },
];

/** What one sender has said, for itself or, with sFlow, for agents behind it: it can make those up, too. */
interface Holder {
  readonly sender: string;
  /** By {@link nameKey}, the longest unchanged one first. */
  readonly names: Map<string, NameEntry>;
  source: Source;
  /** Names to take, by key; true = an earlier version was taken. */
  readonly changed: Map<string, boolean>;
  /** Some were taken: the sender had proven itself. */
  taken: boolean;
}

/** Names that a proven sender loses to nobody but itself. */
const OWN_NAMES = 256;
/** Senders that are looked at to find one that has more than its share. */
const SEARCH = 64;
/** Names handed out at a time: what a flood may cost those who keep and look up names. */
const MAX_TAKEN = 4096;
const NO_ATTRIBUTES: NameEntry['attributes'] = Object.freeze({});

/**
 * Turns options records and sFlow counters into names (F17, F18, F19). The latest one wins; repeats are quiet.
 *
 * Names are bounded over all senders, and fairly (X02): those of senders that have not proven themselves go first and
 * are not handed out before; then a sender that has more than its share pays, with the name that it has not changed for
 * longest.
 *
 * @param limit names remembered
 * @param isProven the sender is no address that was used once (X03)
 */
export function createNames(limit: number, isProven: (source: Source) => boolean = () => true): Names {
  const holders = new Map<string, Holder>();
  /** Not taken from yet, in the order of their coming. */
  const unproven = new Set<Holder>();
  /** Those with something to take. */
  const waiting = new Set<Holder>();
  /** Names that were taken and had to go. */
  let gone = new Set<string>();
  let total = 0;
  let evicted = 0;
  let refused = 0;
  /** Senders to look at when one with more than its share is wanted. No iterator: V8 keeps every table it has outlived. */
  let search: Holder[] = [];

  function holderOf(sender: string, source: Source): Holder {
    let holder = holders.get(sender);
    if (!holder) {
      holder = { sender, names: new Map(), source, changed: new Map(), taken: false };
      holders.set(sender, holder);
      unproven.add(holder);
    }
    holder.source = source;
    return holder;
  }

  function share(): number {
    return Math.max(Math.min(OWN_NAMES, limit), Math.floor(limit / Math.max(1, holders.size)));
  }

  /** Somebody else's name goes, or the sender's own. @returns false when nobody can be asked to give one up */
  function makeRoom(holder: Holder): boolean {
    if (holder.names.size >= share()) return evictFrom(holder);
    if (evictUnproven(holder)) return true;
    for (let looked = 0; looked < SEARCH; looked++) {
      const other = search.pop();
      if (!other) search = [...holders.values()];
      else if (holders.get(other.sender) === other && other.names.size > share()) return evictFrom(other);
    }
    return false;
  }

  /** Some at a time: finding the first member of a set takes the longer the more have left it. */
  function evictUnproven(but: Holder): boolean {
    const most = Math.max(1, limit >> 10);
    let done = 0;
    for (const other of unproven) {
      if (other === but) continue;
      evictFrom(other);
      if (++done === most) break;
    }
    return done > 0;
  }

  function evictFrom(holder: Holder): boolean {
    // Some of many at a time, as above.
    let left = Math.max(1, holder.names.size >> 10);
    for (const key of holder.names.keys()) {
      holder.names.delete(key);
      if (holder.changed.get(key) ?? true) gone.add(key);
      holder.changed.delete(key);
      total--;
      evicted++;
      if (--left === 0) break;
    }
    if (holder.names.size === 0) forget(holder);
    return true;
  }

  function forget(holder: Holder): void {
    holders.delete(holder.sender);
    unproven.delete(holder);
    waiting.delete(holder);
  }

  function note(update: NameEntry, source: Source): void {
    const holder = holderOf(source.address, source);
    const key = nameKey(update);
    const before = holder.names.get(key);
    // sFlow says speed and name in different records; options may say only one of name and description.
    const merged: NameEntry = {
      ...update,
      name: update.name || (before?.name ?? ''),
      description: update.description || (before?.description ?? ''),
      speedBps: update.speedBps || (before?.speedBps ?? 0),
    };
    if (before && same(before, merged)) return;
    let wasTaken = before !== undefined && (holder.changed.get(key) ?? true);
    if (before) holder.names.delete(key);
    else if (total < limit || makeRoom(holder)) total++;
    else {
      refused++;
      if (holder.names.size === 0) forget(holder);
      return;
    }
    // It was forgotten for a moment when it had to give up its only one.
    holders.set(holder.sender, holder);
    if (!holder.taken) unproven.add(holder);
    holder.names.set(key, merged);
    if (gone.delete(key)) wasTaken = true;
    holder.changed.set(key, wasTaken);
    waiting.add(holder);
  }

  function take(): NameEntry[] {
    const updates: NameEntry[] = [];
    for (const holder of waiting) {
      if (!holder.taken && !isProven(holder.source)) continue;
      holder.taken = true;
      unproven.delete(holder);
      for (const key of holder.changed.keys()) {
        if (updates.length === MAX_TAKEN) return updates;
        holder.changed.delete(key);
        updates.push(holder.names.get(key) as NameEntry);
      }
      waiting.delete(holder);
    }
    return updates;
  }

  return {
    options(record) {
      for (const kind of KINDS) {
        const update = nameIn(record, kind);
        if (update) note(update, record.source);
      }
    },
    counters(record) {
      if (record.enterprise !== 0) return;
      const { ifIndex, ifName, ifSpeed } = record.values;
      const index = typeof ifIndex === 'number' ? ifIndex : record.sourceIdIndex;
      if (record.sourceIdType !== SFLOW_INTERFACE || index === 0 || (ifName === undefined && ifSpeed === undefined))
        return;
      note(
        {
          exporter: record.agent,
          kind: 'interface',
          id: String(index),
          name: typeof ifName === 'string' ? clean(ifName) : '',
          description: '',
          speedBps: Number(ifSpeed ?? 0),
          source: 'sflow',
          attributes: NO_ATTRIBUTES,
        },
        record.source,
      );
    },
    take,
    takeGone() {
      const keys = [...gone];
      gone = new Set();
      return keys;
    },
    restore(updates) {
      for (const update of updates) {
        if (total >= limit) return;
        const holder = holderOf(update.exporter, RESTORED);
        holder.taken = true;
        unproven.delete(holder);
        const key = nameKey(update);
        if (!holder.names.has(key)) total++;
        holder.names.set(key, update);
      }
    },
    *entries() {
      for (const { taken, names } of holders.values()) if (taken) yield* names.values();
    },
    status: () => ({ names: total, senders: holders.size, evicted, refused }),
  };
}

/** Stands in until the exporter is heard of again. */
const RESTORED: Source = { address: '::', words: new Uint32Array(4), port: 0 };

/** Identity of what is named. */
export function nameKey(update: Pick<NameEntry, 'exporter' | 'kind' | 'id'>): string {
  return `${update.exporter} ${update.kind} ${update.id}`;
}

function nameIn(record: OptionsRecord, kind: Kind): NameEntry | null {
  const find = (id: number): OptionsField | undefined =>
    record.fields.find(
      (field) => field.pen === 0 && field.id === id && !(field.scope && record.type === FLOW_TYPES.NETFLOW_V9),
    );
  const name = find(kind.name);
  const description = kind.description === null ? undefined : find(kind.description);
  if (!name && !description) return null;
  let id: OptionsField | undefined;
  for (const candidate of kind.ids) id ??= find(candidate);
  if (!id && kind.kind === 'interface' && record.type === FLOW_TYPES.NETFLOW_V9) {
    id = record.fields.find((field) => field.scope && field.id === V9_SCOPE_INTERFACE);
  }
  if (!id || id.bytes.length === 0) return null;
  const update: NameEntry = {
    exporter: record.source.address,
    kind: kind.kind,
    id: kind.kind === 'application' ? hex(id.bytes) : String(unsigned(id.bytes)),
    name: name ? text(name.bytes) : '',
    description: description ? text(description.bytes) : '',
    speedBps: 0,
    source: 'options',
    attributes: NO_ATTRIBUTES,
  };
  return update.name === '' && update.description === '' ? null : update;
}

function same(a: NameEntry, b: NameEntry): boolean {
  return a.name === b.name && a.description === b.description && a.speedBps === b.speedBps && a.source === b.source;
}

function unsigned(bytes: Uint8Array): number {
  let value = 0;
  for (const byte of bytes.subarray(0, 6)) value = value * 256 + byte;
  return value;
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Strings end at the first NUL and may hold anything (L17, X06). */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return clean(new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)));
}

function clean(value: string): string {
  return value
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim()
    .slice(0, MAX_TEXT);
}
