import { FLOW_TYPES } from '@ringflow/contract';
import type { CountersRecord, OptionsField, OptionsRecord } from '../wire/index.ts';

/** What an exporter says about one of its numbers. */
export interface NameUpdate {
  /** Text form of the exporter's address. */
  readonly exporter: string;
  readonly kind: 'interface' | 'vrf' | 'application' | 'sampler';
  /** ifIndex, VRF id, sampler or selector id in decimal; application ids as hexadecimal digits (RFC 6759). */
  readonly id: string;
  /** Empty when not said. */
  readonly name: string;
  readonly description: string;
  /** Bits per second; 0 when not said. */
  readonly speedBps: number;
  readonly source: 'options' | 'sflow';
}

export interface Names {
  options(record: OptionsRecord): void;
  counters(record: CountersRecord): void;
  /** What is new or changed since the last call. */
  take(): NameUpdate[];
  /** Puts back what was known before a restart. */
  restore(updates: Iterable<NameUpdate>): void;
  size(): number;
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
  readonly kind: NameUpdate['kind'];
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

/**
 * Turns options records and sFlow counters into names (F17, F18, F19). The latest one wins; repeats are quiet.
 *
 * @param limit names remembered; beyond it, new ones are not taken up
 */
export function createNames(limit: number): Names {
  const known = new Map<string, NameUpdate>();
  let changed = new Map<string, NameUpdate>();

  function note(update: NameUpdate): void {
    const key = nameKey(update);
    const before = known.get(key);
    if (!before && known.size >= limit) return;
    // sFlow says speed and name in different records; options may say only one of name and description.
    const merged: NameUpdate = {
      ...update,
      name: update.name || (before?.name ?? ''),
      description: update.description || (before?.description ?? ''),
      speedBps: update.speedBps || (before?.speedBps ?? 0),
    };
    if (before && same(before, merged)) return;
    known.set(key, merged);
    changed.set(key, merged);
  }

  return {
    options(record) {
      for (const kind of KINDS) {
        const update = nameIn(record, kind);
        if (update) note(update);
      }
    },
    counters(record) {
      if (record.enterprise !== 0) return;
      const { ifIndex, ifName, ifSpeed } = record.values;
      const index = typeof ifIndex === 'number' ? ifIndex : record.sourceIdIndex;
      if (record.sourceIdType !== SFLOW_INTERFACE || index === 0 || (ifName === undefined && ifSpeed === undefined))
        return;
      note({
        exporter: record.agent,
        kind: 'interface',
        id: String(index),
        name: typeof ifName === 'string' ? clean(ifName) : '',
        description: '',
        speedBps: Number(ifSpeed ?? 0),
        source: 'sflow',
      });
    },
    take() {
      const updates = [...changed.values()];
      changed = new Map();
      return updates;
    },
    restore(updates) {
      for (const update of updates) known.set(nameKey(update), update);
    },
    size: () => known.size,
  };
}

/** Identity of what is named. */
export function nameKey(update: Pick<NameUpdate, 'exporter' | 'kind' | 'id'>): string {
  return `${update.exporter} ${update.kind} ${update.id}`;
}

function nameIn(record: OptionsRecord, kind: Kind): NameUpdate | null {
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
  const update: NameUpdate = {
    exporter: record.source.address,
    kind: kind.kind,
    id: kind.kind === 'application' ? hex(id.bytes) : String(unsigned(id.bytes)),
    name: name ? text(name.bytes) : '',
    description: description ? text(description.bytes) : '',
    speedBps: 0,
    source: 'options',
  };
  return update.name === '' && update.description === '' ? null : update;
}

function same(a: NameUpdate, b: NameUpdate): boolean {
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
