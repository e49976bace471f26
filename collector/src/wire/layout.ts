import { COLUMNS } from '@ringflow/contract';
import { COLUMN_INDEX } from './batch.ts';
import { layoutKey, VARIABLE_LENGTH, type TemplateField } from './template-fields.ts';

const CISCO = 9;
/** Enterprise number of the other direction's fields in a biflow record (RFC 5103 6.1). */
const REVERSE_PEN = 29_305;

/**
 * Where a field lies in a record. A record is a run of fixed bytes (segment 0), then for each variable field the
 * field itself and another run: a fixed field is `base[segment] + offset`, a variable one is known by its number.
 */
export interface Place {
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
  /** Number of the variable field, -1 for a fixed one. */
  readonly variable: number;
}

/** How a flow time is written (C01–C09). `ntp` are the 64-bit NTP timestamps of 154–157, `ago` microseconds before the export. */
export type TimeUnit = 'seconds' | 'milliseconds' | 'ntp' | 'ago' | 'uptime';

export interface TimeField {
  readonly unit: TimeUnit;
  readonly place: Place;
}

/** What writes a record's flow times: the most precise field of each side (C07), completed by a duration (C09). */
export interface TimePlan {
  readonly start: TimeField | null;
  readonly end: TimeField | null;
  /** 323 and its kin: the instant of an event, for a side that has nothing else. */
  readonly observation: TimeField | null;
  readonly duration: { readonly place: Place; readonly nsPerUnit: number } | null;
  /** 160 inside the record (C06). */
  readonly systemInit: Place | null;
}

/** Fields of one record that say how it was sampled (S04–S06). */
export interface RatePlaces {
  readonly interval: Place | null;
  readonly packetInterval: Place | null;
  readonly packetSpace: Place | null;
  readonly size: Place | null;
  readonly population: Place | null;
  readonly probability: Place | null;
}

/** One step of writing a record; compile.ts turns it into code, interpret.ts does it by hand. */
export type Step =
  | {
      readonly kind: 'number' | 'wide' | 'mac' | 'flows' | 'tcp_flags' | 'dscp';
      readonly column: number;
      readonly place: Place;
    }
  | { readonly kind: 'constant'; readonly column: number; readonly value: number }
  | { readonly kind: 'string'; readonly column: number; readonly place: Place; readonly text: boolean }
  | {
      readonly kind: 'address';
      readonly column: number;
      readonly v4: Place | null;
      readonly v6: Place | null;
      readonly version: Place | null;
    }
  | { readonly kind: 'labels'; readonly column: number; readonly places: readonly Place[] }
  | { readonly kind: 'moment'; readonly column: number; readonly time: TimeField }
  | {
      readonly kind: 'icmp';
      readonly column: number;
      readonly codeColumn: number;
      readonly place: Place;
      readonly proto: Place | null;
    }
  | {
      readonly kind: 'family';
      readonly column: number;
      readonly v4: readonly Place[];
      readonly v6: readonly Place[];
      readonly version: Place | null;
    }
  | { readonly kind: 'rate'; readonly column: number; readonly parts: RatePlaces }
  | { readonly kind: 'sampler'; readonly place: Place }
  | { readonly kind: 'section'; readonly place: Place };

/** A template's fields as column writes. Two templates with equal fields share one layout. */
export interface Layout {
  readonly key: string;
  /** Fixed bytes of each segment; one more than there are variable fields. */
  readonly segments: readonly number[];
  /** Bytes of the shortest record (L01); the exact length when nothing is variable. */
  readonly minLength: number;
  readonly steps: readonly Step[];
  /** Null in the reverse half of a biflow, whose times are those of the first half. */
  readonly times: TimePlan | null;
  /** Columns that the exporter's fields fill, in registry order. */
  readonly columns: readonly number[];
  readonly hasBytes: boolean;
  readonly hasPackets: boolean;
  readonly hasFlows: boolean;
  readonly hasSampler: boolean;
  readonly hasRate: boolean;
  /** Flow times count from the exporter's boot: IPFIX needs 160 for them (C06). */
  readonly usesUptime: boolean;
  /** No field says when the flow was (C13). */
  readonly timeless: boolean;
  /** Header of a sampled packet: 313 IP, 314 MPLS, 315 frame (F30); 0 = none. */
  readonly section: number;
  /** The other direction of a biflow record: writes what 29305 or 232/299 say (F03). */
  readonly reverse: Layout | null;
}

const C = COLUMN_INDEX;

/** Columns that the header or the collector fills, whatever the record says. */
const OWN_COLUMNS: ReadonlySet<number> = new Set([
  C.type,
  C.time_received_ns,
  C.sequence_num,
  C.sampler_address,
  C.observation_domain_id,
  C.template_id,
  C.sampling_rate,
  C.quality,
  C.time_flow_start_ns,
  C.time_flow_end_ns,
]);

/** C07: the most precise first. */
const START_TIMES: readonly (readonly [number, TimeUnit])[] = [
  [156, 'ntp'],
  [154, 'ntp'],
  [152, 'milliseconds'],
  [150, 'seconds'],
  [158, 'ago'],
  [22, 'uptime'],
];
const END_TIMES: readonly (readonly [number, TimeUnit])[] = [
  [157, 'ntp'],
  [155, 'ntp'],
  [153, 'milliseconds'],
  [151, 'seconds'],
  [159, 'ago'],
  [21, 'uptime'],
];
const OBSERVATION_TIMES: readonly (readonly [number, TimeUnit])[] = [
  [325, 'ntp'],
  [324, 'ntp'],
  [323, 'milliseconds'],
  [322, 'seconds'],
];
const SECTIONS = [315, 313, 314];

type Places = ReadonlyMap<string, readonly Place[]>;

/** Plans the writes for a template. Zero-length fields are there for the wire only (T21). */
export function createLayout(fields: readonly TemplateField[], key: string = layoutKey(fields)): Layout {
  const forward = planLayout(fields, key, false);
  const mirrored = mirrorFields(fields);
  if (!mirrored) return forward;
  const reverse = planLayout(mirrored, `${key}reverse`, true);
  return reverse.hasBytes || reverse.hasPackets ? { ...forward, reverse } : forward;
}

/** The template as the other direction sees it: its own fields under the forward numbers, nothing else. */
function mirrorFields(fields: readonly TemplateField[]): TemplateField[] | null {
  const reversed = fields.some((f) => f.pen === REVERSE_PEN);
  const responder = fields.some((f) => f.pen === 0 && (f.id === 232 || f.id === 299));
  if (!reversed && !responder) return null;
  return fields.map((f) => {
    if (f.pen === REVERSE_PEN) return { pen: 0, id: f.id, length: f.length };
    if (!reversed && f.pen === 0 && f.id === 232) return { pen: 0, id: 231, length: f.length };
    if (!reversed && f.pen === 0 && f.id === 299) return { pen: 0, id: 298, length: f.length };
    return { pen: -1, id: 0, length: f.length };
  });
}

function planLayout(fields: readonly TemplateField[], key: string, reverse: boolean): Layout {
  const { places, segments } = locate(fields);
  const tunnel = isTunnel(places);
  const find = (id: number, pen = 0): Place | null => {
    const all = places.get(`${pen}.${id}`);
    // Outer header first, inner after (L11): the ports belong to the inner one.
    return all ? ((tunnel ? all[all.length - 1] : all[0]) ?? null) : null;
  };
  const version = find(60) ?? find(256);
  const steps: Step[] = [];
  const filled = new Set<number>();
  const add = (step: Step, ...columns: number[]): void => {
    steps.push(step);
    for (const column of columns) filled.add(column);
  };

  COLUMNS.forEach((column, index) => {
    if (OWN_COLUMNS.has(index)) return;
    const found = column.elements.flatMap((e) => {
      const place = find(e.id, e.pen);
      return place ? [{ place, id: e.pen === 0 ? e.id : 0 }] : [];
    });
    const first = found[0];
    if (!first) return;
    const place = first.place;
    switch (column.type) {
      case 'u8':
      case 'u16':
      case 'u32':
        if (index === C.flows) add({ kind: 'flows', column: index, place }, index);
        else if (index === C.tcp_flags) add({ kind: 'tcp_flags', column: index, place }, index);
        else add({ kind: 'number', column: index, place }, index);
        return;
      case 'u64':
        add({ kind: 'wide', column: index, place }, index);
        return;
      case 'mac': {
        const mac = found.find((f) => f.place.length === 6);
        if (mac) add({ kind: 'mac', column: index, place: mac.place }, index);
        return;
      }
      case 'string':
        add({ kind: 'string', column: index, place, text: column.text !== 'hex' }, index);
        return;
      case 'addr': {
        const v4 = found.find((f) => f.place.length === 4)?.place ?? null;
        const v6 = found.find((f) => f.place.length === 16)?.place ?? null;
        if (v4 ?? v6) add({ kind: 'address', column: index, v4, v6, version }, index);
        return;
      }
      case 'u32[]':
        add({ kind: 'labels', column: index, places: found.map((f) => f.place).filter((p) => p.length === 3) }, index);
        return;
      case 'time': {
        const unit = OBSERVATION_TIMES.find(([id]) => id === first.id)?.[1];
        if (unit) add({ kind: 'moment', column: index, time: { unit, place } }, index);
      }
    }
  });

  const dscp = find(195);
  if (!filled.has(C.ip_tos) && dscp) add({ kind: 'dscp', column: C.ip_tos, place: dscp }, C.ip_tos);
  // F08: explicit fields, else type and code in one number, else in the destination port.
  const icmp =
    filled.has(C.icmp_type) || filled.has(C.icmp_code)
      ? null
      : (find(32) ?? find(139) ?? (reverse || !find(4) ? null : find(11)));
  if (icmp && (icmp.length === 2 || icmp.length === 4)) {
    add(
      { kind: 'icmp', column: C.icmp_type, codeColumn: C.icmp_code, place: icmp, proto: find(4) },
      C.icmp_type,
      C.icmp_code,
    );
  }
  if (tunnel) addTunnel(places, add);
  if (!reverse) {
    if (!filled.has(C.etype)) addFamily(steps, version, find, add);
    addSampling(find, add);
    if (namesInitiator(find)) add({ kind: 'constant', column: C.initiator, value: 1 }, C.initiator);
  }
  const section = reverse ? 0 : (SECTIONS.find((id) => find(id) !== null) ?? 0);
  const sectionPlace = section === 0 ? null : find(section);
  if (sectionPlace) add({ kind: 'section', place: sectionPlace });

  const times = reverse ? null : planTimes(find);
  return {
    key,
    segments,
    minLength: segments.reduce((sum, bytes) => sum + bytes, 0) + segments.length - 1,
    steps,
    times,
    columns: [...filled].sort((a, b) => a - b),
    hasBytes: filled.has(C.bytes),
    hasPackets: filled.has(C.packets),
    hasFlows: filled.has(C.flows),
    hasSampler: steps.some((step) => step.kind === 'sampler'),
    hasRate: steps.some((step) => step.kind === 'rate'),
    usesUptime: times?.systemInit === null && (times.start?.unit === 'uptime' || times.end?.unit === 'uptime'),
    timeless: times !== null && !times.start && !times.end && !times.observation,
    section,
    reverse: null,
  };
}

function locate(fields: readonly TemplateField[]): { places: Places; segments: number[] } {
  const places = new Map<string, Place[]>();
  const segments = [0];
  for (const field of fields) {
    const segment = segments.length - 1;
    const offset = segments[segment] as number;
    const variable = field.length === VARIABLE_LENGTH;
    if (variable) segments.push(0);
    else segments[segment] = offset + field.length;
    if (field.length === 0 || field.pen < 0) continue;
    const place = { segment, offset, length: field.length, variable: variable ? segment : -1 };
    const key = `${field.pen}.${field.id}`;
    const same = places.get(key);
    if (same) same.push(place);
    else places.set(key, [place]);
  }
  return { places, segments };
}

/** L11: both addresses twice in one template is a packet in a packet, not a repeated field. */
function isTunnel(places: Places): boolean {
  const twice = (id: number): boolean => (places.get(`0.${id}`)?.length ?? 0) > 1;
  return (twice(8) && twice(12)) || (twice(27) && twice(28));
}

function addTunnel(places: Places, add: (step: Step, ...columns: number[]) => void): void {
  const outer = (id: number): Place | null => {
    const all = places.get(`0.${id}`);
    return all && all.length > 1 ? (all[0] ?? null) : null;
  };
  for (const [column, v4, v6] of [
    [C.tunnel_src_addr, outer(8), outer(27)],
    [C.tunnel_dst_addr, outer(12), outer(28)],
  ] as const) {
    add(
      { kind: 'address', column, v4: v4?.length === 4 ? v4 : null, v6: v6?.length === 16 ? v6 : null, version: null },
      column,
    );
  }
  const proto = outer(4);
  if (proto) add({ kind: 'number', column: C.tunnel_proto, place: proto }, C.tunnel_proto);
}

/** The ether type follows from the family that the addresses were written from. */
function addFamily(
  steps: readonly Step[],
  version: Place | null,
  find: (id: number) => Place | null,
  add: (step: Step, ...columns: number[]) => void,
): void {
  const v4: Place[] = [];
  const v6: Place[] = [];
  for (const step of steps) {
    if (step.kind !== 'address' || (step.column !== C.src_addr && step.column !== C.dst_addr)) continue;
    if (step.v4) v4.push(step.v4);
    if (step.v6) v6.push(step.v6);
  }
  if (v4.length > 0 && v6.length === 0) add({ kind: 'constant', column: C.etype, value: 0x0800 });
  else if (v6.length > 0 && v4.length === 0) add({ kind: 'constant', column: C.etype, value: 0x86dd });
  else if (v4.length > 0 || find(60)) add({ kind: 'family', column: C.etype, v4, v6, version });
}

/**
 * Whether the source is the initiator because the counters are those of initiator and responder, where no 239 says
 * otherwise, or because the ends are client and server (Cisco AVC). One responder counter alone proves nothing
 * [v9-huawei].
 */
function namesInitiator(find: (id: number, pen?: number) => Place | null): boolean {
  if (find(12236, CISCO) && find(12237, CISCO)) return true;
  const counters = (find(231) && find(232)) ?? (find(298) && find(299));
  return counters !== null && !find(239);
}

function addSampling(find: (id: number) => Place | null, add: (step: Step, ...columns: number[]) => void): void {
  const parts: RatePlaces = {
    interval: find(34) ?? find(50),
    packetInterval: find(305),
    packetSpace: find(306),
    size: find(309),
    population: find(310),
    probability: find(311),
  };
  if (parts.interval || parts.packetInterval || (parts.size && parts.population) || parts.probability) {
    add({ kind: 'rate', column: C.sampling_rate, parts });
  }
  const sampler = find(48) ?? find(302);
  if (sampler) add({ kind: 'sampler', place: sampler });
}

function planTimes(find: (id: number) => Place | null): TimePlan {
  const pick = (list: readonly (readonly [number, TimeUnit])[]): TimeField | null => {
    for (const [id, unit] of list) {
      const place = find(id);
      if (place) return { unit, place };
    }
    return null;
  };
  const milliseconds = find(161);
  const microseconds = find(162);
  return {
    start: pick(START_TIMES),
    end: pick(END_TIMES),
    observation: pick(OBSERVATION_TIMES),
    duration: milliseconds
      ? { place: milliseconds, nsPerUnit: 1e6 }
      : microseconds
        ? { place: microseconds, nsPerUnit: 1e3 }
        : null,
    systemInit: find(160),
  };
}
