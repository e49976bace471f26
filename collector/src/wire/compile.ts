import { COLUMNS } from '@ringflow/contract';
import { type Batch, COLUMN_INDEX, itemsPerRow, useColumn } from './batch.ts';
import { highWord, ipVersionOf, lowWord, pushLabel, rateOf, readFloat, writeField } from './field-values.ts';
import type { Layout, Place, Step, TimeField, TimePlan } from './layout.ts';
import { type RecordContext, ntpDelta, repairTimes, uptimeSince, writeMoment } from './times.ts';

/**
 * Writes records of one layout to a batch.
 *
 * @param view covers the buffer that `bytes` covers, from the same first byte
 * @param from offset of the first record; `count` records of fixed length fit before `end`
 * @param count records at most; a layout with variable fields may end earlier
 * @param row where the first record goes; the caller has made sure of the room
 * @returns records written; `context.next` and `context.malformed` say where and how it ended
 */
export type RecordFunction = (
  view: DataView,
  bytes: Uint8Array,
  from: number,
  end: number,
  count: number,
  batch: Batch,
  row: number,
  context: RecordContext,
) => number;

const HELPERS = {
  useColumn,
  lowWord,
  highWord,
  ipVersionOf,
  writeField,
  pushLabel,
  rateOf,
  readFloat,
  ntpDelta,
  uptimeSince,
  repairTimes,
  writeMoment,
};
const HELPER_NAMES = Object.keys(HELPERS);

/**
 * Makes one straight-line function of a layout: every offset, column and branch that the template decides is decided
 * here. The source holds integers and names of this file only, nothing from a packet.
 *
 * @param kept by registry index: the columns that the batch keeps
 */
export function compileLayout(layout: Layout, kept: Uint8Array): RecordFunction {
  const factory = new Function(...HELPER_NAMES, `"use strict"; return ${writeSource(layout, kept)}`) as (
    ...helpers: unknown[]
  ) => RecordFunction;
  return factory(...Object.values(HELPERS));
}

/** The source of the function, for tests and curiosity. */
export function writeSource(layout: Layout, kept: Uint8Array): string {
  const used = new Set<number>();
  const body: string[] = [];
  const use = (column: number): string => {
    used.add(column);
    return `c${column}`;
  };
  for (const step of layout.steps) body.push(...writeStep(step, kept, use));
  if (layout.times) body.push(...writeTimes(layout.times, kept, use));

  // As useColumn does it; the call itself only for a column's first use.
  const columns = [...used]
    .sort((a, b) => a - b)
    .map((column) => `const c${column} = data[${column}] || useColumn(batch, ${column}); used[${column}] = 1;`);
  const variables = layout.segments.length - 1;
  const record = variables === 0 ? writeFixedLoop(layout, body) : writeVariableLoop(layout, body, variables);
  return [
    'function (view, bytes, from, end, count, batch, row, context) {',
    'const data = batch.data, used = batch.used;',
    ...columns,
    'const uptime = context.uptime, uptimeKnown = context.uptimeKnown;',
    'const exportMs = context.exportMs, exportSubNs = context.exportSubNs;',
    'const baseLow = context.baseLow, baseHigh = context.baseHigh;',
    'const ahead = context.aheadNs, behind = context.behindNs;',
    'const samplers = context.samplerIds;',
    ...record,
    '}',
  ].join('\n');
}

const ROWS = 'const r2 = r << 1, r4 = r << 2;';

function writeFixedLoop(layout: Layout, body: readonly string[]): string[] {
  return [
    'let b0 = from;',
    `for (let n = 0, r = row; n < count; n++, r++, b0 += ${layout.minLength}) {`,
    ROWS,
    ...body,
    '}',
    'context.next = b0;',
    'return count;',
  ];
}

function writeVariableLoop(layout: Layout, body: readonly string[], variables: number): string[] {
  const lines = [
    'let b0 = from, n = 0;',
    `for (let r = row; n < count && b0 + ${layout.minLength} <= end; n++, r++) {`,
  ];
  for (let i = 0; i < variables; i++) {
    const rest = layout.segments.slice(i + 1).reduce((sum, bytes) => sum + bytes, 0) + variables - 1 - i;
    lines.push(
      `let v${i} = b${i} + ${layout.segments[i]}, l${i} = view.getUint8(v${i}++);`,
      // RFC 7011 7: 255 announces a length of two bytes; bound by the end of the set (L07).
      `if (l${i} === 255) { if (v${i} + 2 > end) { context.malformed = true; break; } l${i} = view.getUint16(v${i}); v${i} += 2; }`,
      `const b${i + 1} = v${i} + l${i};`,
      `if (b${i + 1} + ${rest} > end) { context.malformed = true; break; }`,
    );
  }
  lines.push(
    ROWS,
    ...body,
    `b0 = b${variables} + ${layout.segments[variables]};`,
    '}',
    'context.next = b0;',
    'return n;',
  );
  return lines;
}

function writeStep(step: Step, kept: Uint8Array, use: (column: number) => string): string[] {
  switch (step.kind) {
    case 'sampler':
      return [`samplers[n] = ${low(step.place)};`];
    case 'section':
      return [`context.sectionFrom = ${at(step.place)}; context.sectionTo = ${at(step.place)} + ${size(step.place)};`];
    case 'icmp':
      return writeIcmp(step, kept, use);
    default:
      return kept[step.column] === 1 ? [writeCell(step, use(step.column))] : [];
  }
}

type CellStep = Exclude<Step, { kind: 'sampler' | 'section' | 'icmp' }>;

function writeCell(step: CellStep, c: string): string {
  switch (step.kind) {
    case 'number':
      return `${c}[r] = ${low(step.place, bytesOf(step.column))};`;
    case 'constant':
      return `${c}[r] = ${step.value};`;
    case 'flows':
      // F06: 0 stands for one flow.
      return `${c}[r] = ${low(step.place)} || 1;`;
    case 'tcp_flags':
      // F07: the data offset is not a flag (RFC 7125).
      return `${c}[r] = ${low(step.place, 2)} & 0x0fff;`;
    case 'dscp':
      return `${c}[r] = ${low(step.place, 1)} << 2;`;
    case 'wide':
      return step.place.length <= 4
        ? `${c}[r2] = ${low(step.place)};`
        : `${c}[r2] = ${low(step.place)}; ${c}[r2 + 1] = ${high(step.place)};`;
    case 'mac':
      return `${c}[r2] = view.getUint32(${at(step.place)} + 2); ${c}[r2 + 1] = view.getUint16(${at(step.place)});`;
    case 'string':
      return `writeField(batch, ${c}, r, bytes, ${at(step.place)}, ${size(step.place)}, ${step.text});`;
    case 'address':
      return writeAddress(step, c);
    case 'labels':
      return `${step.places.map((place) => `pushLabel(batch, ${c}, r, ${low(place)})`).join(' && ')};`;
    case 'moment':
      return `writeMoment(${c}, r, '${step.time.unit}', ${high(step.time.place)}, ${low(step.time.place)}, context);`;
    case 'family': {
      const { v4, v6, version } = step;
      const tie = version ? `(${isVersion6(version)} ? 0x86dd : 0x0800)` : '0x0800';
      if (v4.length === 0)
        return version
          ? `{ const i = ipVersionOf(${low(version, 2)}); ${c}[r] = i === 6 ? 0x86dd : i === 4 ? 0x0800 : 0; }`
          : '';
      return `${c}[r] = (${v4.map((p) => word(p, 0)).join(' | ')}) !== 0 ? 0x0800 : (${v6.map(anyOf16).join(' | ')}) !== 0 ? 0x86dd : ${tie};`;
    }
    case 'rate': {
      const { interval, packetInterval, packetSpace, size: taken, population, probability } = step.parts;
      const number = (place: Place | null, none: number): string => (place ? low(place) : String(none));
      const float = probability ? `readFloat(view, ${at(probability)}, ${size(probability)})` : '0';
      return `${c}[r] = rateOf(${number(interval, 0)}, ${number(packetInterval, 0)}, ${number(packetSpace, -1)}, ${number(taken, 0)}, ${number(population, 0)}, ${float});`;
    }
  }
}

/** IPv4 is kept mapped; of two families the one that is not all zero (L12). */
function writeAddress(step: { v4: Place | null; v6: Place | null; version: Place | null }, c: string): string {
  const { v4, v6, version } = step;
  const mapped = v4 ? `${c}[r4 + 2] = 0xffff0000; ${c}[r4 + 3] = ${word(v4, 0)};` : '';
  const whole = v6 ? [0, 1, 2, 3].map((i) => `${c}[r4 + ${i}] = ${word(v6, i)};`).join(' ') : '';
  if (!v4) return whole;
  if (!v6) return mapped;
  const none = version ? ` && !${isVersion6(version)}` : '';
  return `if (${word(v4, 0)} !== 0 || ((${anyOf16(v6)}) === 0${none})) { ${mapped} } else { ${whole} }`;
}

function writeIcmp(step: Extract<Step, { kind: 'icmp' }>, kept: Uint8Array, use: (column: number) => string): string[] {
  const writes: string[] = [];
  if (kept[step.column] === 1) writes.push(`${use(step.column)}[r] = i >>> 8;`);
  if (kept[step.codeColumn] === 1) writes.push(`${use(step.codeColumn)}[r] = i & 255;`);
  if (writes.length === 0) return [];
  const p = step.proto ? low(step.proto, 1) : '';
  const proto = step.proto ? `const p = ${p}; if (p === 1 || p === 58)` : '';
  return [`{ ${proto} { const i = ${low(step.place, 2)}; ${writes.join(' ')} } }`];
}

function writeTimes(times: TimePlan, kept: Uint8Array, use: (column: number) => string): string[] {
  const { start, end, observation, duration, systemInit } = times;
  const lines: string[] = [];
  if (start?.unit === 'uptime' || end?.unit === 'uptime') {
    // C06: without a boot time the end is the export time and only the difference is known.
    const fallback = end?.unit === 'uptime' ? end : (start as TimeField);
    if (systemInit) lines.push(`const boot = uptimeSince(context, ${high(systemInit)}, ${low(systemInit)});`);
    else lines.push(`const boot = uptimeKnown ? uptime : ${low(fallback.place)} | 0;`);
  }
  const length = duration
    ? `(${high(duration.place)} * 4294967296 + ${low(duration.place)}) * ${duration.nsPerUnit}`
    : null;
  const begin = start ? delta(start) : null;
  const finish = end ? delta(end) : null;
  const instant = observation ? delta(observation) : null;
  if (begin && finish) lines.push(`let s = ${begin}, e = ${finish};`);
  else if (finish) lines.push(`let e = ${finish}, s = e${length ? ` - ${length}` : ''};`);
  else if (begin && length) lines.push(`let s = ${begin}, e = s + ${length};`);
  else if (begin && instant) lines.push(`let s = ${begin}, e = ${instant}; if (e < s) e = s;`);
  else if (begin) lines.push(`let s = ${begin}, e = s;`);
  else lines.push(`let e = ${instant ?? '0'}, s = e${length ? ` - ${length}` : ''};`);
  const flag = kept[COLUMN_INDEX.quality] === 1 ? `${use(COLUMN_INDEX.quality)}[r] |= context.repaired;` : '';
  lines.push(
    `if (!(s <= e && e <= ahead && s >= behind)) { repairTimes(context, s, e); s = context.startDelta; e = context.endDelta; ${flag} }`,
  );
  for (const [name, column] of [
    ['s', COLUMN_INDEX.time_flow_start_ns],
    ['e', COLUMN_INDEX.time_flow_end_ns],
  ] as const) {
    if (kept[column] !== 1) continue;
    const c = use(column);
    lines.push(
      `${name} += baseLow; ${c}[r2] = ${name}; ${c}[r2 + 1] = baseHigh + Math.floor(${name} * 2.3283064365386963e-10);`,
    );
  }
  return lines;
}

/** Nanoseconds from the export time. */
function delta(time: TimeField): string {
  const { unit, place } = time;
  const whole = place.length > 4 ? `(${high(place)} * 4294967296 + ${low(place)})` : low(place);
  switch (unit) {
    case 'uptime':
      // C02, C03: a signed 32-bit difference survives the wrap and small leads.
      return `(((${low(place)} | 0) - boot) | 0) * 1e6`;
    case 'milliseconds':
      return `(${whole} - exportMs) * 1e6 - exportSubNs`;
    case 'seconds':
      return `(${whole} * 1e3 - exportMs) * 1e6 - exportSubNs`;
    case 'ago':
      return `${low(place)} * -1e3`;
    case 'ntp':
      return `ntpDelta(context, ${high(place)}, ${low(place)})`;
  }
}

function at(place: Place): string {
  return place.variable >= 0 ? `v${place.variable}` : `b${place.segment} + ${place.offset}`;
}

function size(place: Place): string {
  return place.variable >= 0 ? `l${place.variable}` : String(place.length);
}

/** The field's last bytes as an unsigned number, at most `width` of them. */
function low(place: Place, width = 4): string {
  if (place.variable >= 0) {
    const value = `lowWord(view, v${place.variable}, l${place.variable})`;
    return width >= 4 ? value : `(${value} & ${width === 1 ? 0xff : 0xffff})`;
  }
  const length = Math.min(place.length, width);
  return unsigned(`b${place.segment}`, place.offset + place.length - length, length);
}

function high(place: Place): string {
  if (place.variable >= 0) return `highWord(view, v${place.variable}, l${place.variable})`;
  const length = Math.min(place.length - 4, 4);
  return length <= 0 ? '0' : unsigned(`b${place.segment}`, place.offset + place.length - 4 - length, length);
}

function unsigned(base: string, offset: number, length: number): string {
  const from = `${base} + ${offset}`;
  if (length === 1) return `view.getUint8(${from})`;
  if (length === 2) return `view.getUint16(${from})`;
  if (length === 3) return `(view.getUint16(${from}) << 8 | view.getUint8(${from} + 2))`;
  return `view.getUint32(${from})`;
}

/** Word `i` of an address as an `addr` column holds it. */
function word(place: Place, i: number): string {
  return `view.getUint32(${at(place)} + ${i * 4}, true)`;
}

function anyOf16(place: Place): string {
  return [0, 1, 2, 3].map((i) => word(place, i)).join(' | ');
}

function isVersion6(version: Place): string {
  return `(ipVersionOf(${low(version, 2)}) === 6)`;
}

function bytesOf(column: number): number {
  const type = COLUMNS[column]?.type ?? 'u32';
  return type === 'u8' ? 1 : type === 'u16' ? 2 : 4 * Math.min(1, itemsPerRow(type));
}
