import { type Batch, COLUMN_INDEX, useColumn } from './batch.ts';
import type { RecordFunction } from './compile.ts';
import { highWord, ipVersionOf, lowWord, pushLabel, rateOf, readFloat, writeField } from './field-values.ts';
import type { Layout, Place, Step, TimeField, TimePlan } from './layout.ts';
import { type RecordContext, ntpDelta, repairTimes, uptimeSince, writeMoment } from './times.ts';

/** One record that is being read: where its fixed runs begin and where its variable fields lie. */
interface Cursor {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly bases: number[];
  readonly starts: number[];
  readonly lengths: number[];
}

/**
 * The plain twin of {@link compileLayout}: the same writes, field by field. It is the oracle of the property test and
 * stands in where the runtime forbids generated code.
 */
export function interpretLayout(layout: Layout, kept: Uint8Array): RecordFunction {
  return (view, bytes, from, end, count, batch, row, context) => {
    const cursor: Cursor = { view, bytes, bases: [], starts: [], lengths: [] };
    let at = from;
    let n = 0;
    while (n < count && at + layout.minLength <= end) {
      const next = locateFields(layout, cursor, at, end);
      if (next < 0) {
        context.malformed = true;
        break;
      }
      for (const step of layout.steps) runStep(step, cursor, kept, batch, row + n, n, context);
      if (layout.times) runTimes(layout.times, cursor, kept, batch, row + n, context);
      at = next;
      n++;
    }
    context.next = at;
    return n;
  };
}

/** @returns the offset after the record, -1 when it does not fit */
function locateFields(layout: Layout, cursor: Cursor, from: number, end: number): number {
  let at = from;
  for (let i = 0; i < layout.segments.length; i++) {
    cursor.bases[i] = at;
    at += layout.segments[i] as number;
    if (i === layout.segments.length - 1) break;
    if (at + 1 > end) return -1;
    let length = cursor.view.getUint8(at++);
    if (length === 255) {
      if (at + 2 > end) return -1;
      length = cursor.view.getUint16(at);
      at += 2;
    }
    cursor.starts[i] = at;
    cursor.lengths[i] = length;
    at += length;
  }
  return at > end ? -1 : at;
}

function offsetOf(cursor: Cursor, place: Place): number {
  return place.variable >= 0
    ? (cursor.starts[place.variable] as number)
    : (cursor.bases[place.segment] as number) + place.offset;
}

function lengthOf(cursor: Cursor, place: Place): number {
  return place.variable >= 0 ? (cursor.lengths[place.variable] as number) : place.length;
}

function low(cursor: Cursor, place: Place): number {
  return lowWord(cursor.view, offsetOf(cursor, place), lengthOf(cursor, place));
}

function high(cursor: Cursor, place: Place): number {
  return highWord(cursor.view, offsetOf(cursor, place), lengthOf(cursor, place));
}

function isZero(cursor: Cursor, place: Place): boolean {
  const from = offsetOf(cursor, place);
  return cursor.bytes.subarray(from, from + lengthOf(cursor, place)).every((byte) => byte === 0);
}

function runStep(
  step: Step,
  cursor: Cursor,
  kept: Uint8Array,
  batch: Batch,
  row: number,
  n: number,
  context: RecordContext,
): void {
  if (step.kind === 'sampler') {
    context.samplerIds[n] = low(cursor, step.place);
    return;
  }
  if (step.kind === 'section') {
    context.sectionFrom = offsetOf(cursor, step.place);
    context.sectionTo = context.sectionFrom + lengthOf(cursor, step.place);
    return;
  }
  if (step.kind === 'icmp') {
    const proto = step.proto ? low(cursor, step.proto) & 255 : 1;
    if (proto !== 1 && proto !== 58) return;
    const both = low(cursor, step.place) & 0xffff;
    if (kept[step.column] === 1) useColumn(batch, step.column)[row] = both >>> 8;
    if (kept[step.codeColumn] === 1) useColumn(batch, step.codeColumn)[row] = both & 255;
    return;
  }
  if (kept[step.column] !== 1) return;
  const data = useColumn(batch, step.column);
  const words = data as Uint32Array;
  switch (step.kind) {
    case 'number':
      data[row] = low(cursor, step.place);
      return;
    case 'constant':
      data[row] = step.value;
      return;
    case 'flows':
      data[row] = Math.max(1, low(cursor, step.place));
      return;
    case 'tcp_flags':
      data[row] = low(cursor, step.place) & 0x0fff;
      return;
    case 'dscp':
      data[row] = (low(cursor, step.place) & 255) << 2;
      return;
    case 'wide':
      data[row * 2] = low(cursor, step.place);
      data[row * 2 + 1] = high(cursor, step.place);
      return;
    case 'mac': {
      const from = offsetOf(cursor, step.place);
      data[row * 2] = lowWord(cursor.view, from + 2, 4);
      data[row * 2 + 1] = lowWord(cursor.view, from, 2);
      return;
    }
    case 'string':
      writeField(
        batch,
        words,
        row,
        cursor.bytes,
        offsetOf(cursor, step.place),
        lengthOf(cursor, step.place),
        step.text,
      );
      return;
    case 'address':
      runAddress(step, cursor, words, row);
      return;
    case 'labels':
      for (const place of step.places) if (!pushLabel(batch, words, row, low(cursor, place))) return;
      return;
    case 'moment':
      writeMoment(
        words,
        row,
        step.time.unit as 'seconds',
        high(cursor, step.time.place),
        low(cursor, step.time.place),
        context,
      );
      return;
    case 'family': {
      const version = step.version ? versionOf(cursor, step.version) : 0;
      if (step.v4.length === 0) data[row] = version === 6 ? 0x86dd : version === 4 ? 0x0800 : 0;
      else if (!step.v4.every((place) => isZero(cursor, place))) data[row] = 0x0800;
      else if (!step.v6.every((place) => isZero(cursor, place))) data[row] = 0x86dd;
      else data[row] = version === 6 ? 0x86dd : 0x0800;
      return;
    }
    case 'rate': {
      const { interval, packetInterval, packetSpace, size, population, probability } = step.parts;
      const number = (place: Place | null, none: number): number => (place ? low(cursor, place) : none);
      const float = probability
        ? readFloat(cursor.view, offsetOf(cursor, probability), lengthOf(cursor, probability))
        : 0;
      data[row] = rateOf(
        number(interval, 0),
        number(packetInterval, 0),
        number(packetSpace, -1),
        number(size, 0),
        number(population, 0),
        float,
      );
    }
  }
}

function versionOf(cursor: Cursor, place: Place): number {
  return ipVersionOf(low(cursor, place) & 0xffff);
}

function runAddress(
  step: { v4: Place | null; v6: Place | null; version: Place | null },
  cursor: Cursor,
  data: Uint32Array,
  row: number,
): void {
  const { v4, v6, version } = step;
  let useV6 = v4 === null;
  if (v4 && v6)
    useV6 = isZero(cursor, v4) && (!isZero(cursor, v6) || (version !== null && versionOf(cursor, version) === 6));
  if (useV6 && v6) {
    for (let i = 0; i < 4; i++) data[row * 4 + i] = cursor.view.getUint32(offsetOf(cursor, v6) + i * 4, true);
  } else if (v4) {
    data[row * 4 + 2] = 0xffff0000;
    data[row * 4 + 3] = cursor.view.getUint32(offsetOf(cursor, v4), true);
  }
}

function runTimes(
  times: TimePlan,
  cursor: Cursor,
  kept: Uint8Array,
  batch: Batch,
  row: number,
  context: RecordContext,
): void {
  const { start, end, observation, duration, systemInit } = times;
  const wide = (place: Place): number => high(cursor, place) * 4_294_967_296 + low(cursor, place);
  let boot = context.uptime;
  if (systemInit) {
    boot = uptimeSince(context, high(cursor, systemInit), low(cursor, systemInit));
  } else if (!context.uptimeKnown) {
    const known = end?.unit === 'uptime' ? end : start?.unit === 'uptime' ? start : null;
    if (known) boot = low(cursor, known.place) | 0;
  }
  const delta = (time: TimeField): number => {
    switch (time.unit) {
      case 'uptime':
        return ((low(cursor, time.place) - boot) | 0) * 1e6;
      case 'milliseconds':
        return (wide(time.place) - context.exportMs) * 1e6 - context.exportSubNs;
      case 'seconds':
        return (wide(time.place) * 1e3 - context.exportMs) * 1e6 - context.exportSubNs;
      case 'ago':
        return low(cursor, time.place) * -1e3;
      case 'ntp':
        return ntpDelta(context, high(cursor, time.place), low(cursor, time.place));
    }
  };
  const length = duration ? wide(duration.place) * duration.nsPerUnit : null;
  let s: number;
  let e: number;
  if (start && end) {
    s = delta(start);
    e = delta(end);
  } else if (start && !end) {
    s = delta(start);
    e = length !== null ? s + length : observation ? Math.max(s, delta(observation)) : s;
  } else {
    e = end ? delta(end) : observation ? delta(observation) : 0;
    s = e - (length ?? 0);
  }
  if (!(s <= e && e <= context.aheadNs && s >= context.behindNs)) {
    repairTimes(context, s, e);
    s = context.startDelta;
    e = context.endDelta;
    if (kept[COLUMN_INDEX.quality] === 1) {
      const quality = useColumn(batch, COLUMN_INDEX.quality);
      quality[row] = (quality[row] as number) | context.repaired;
    }
  }
  for (const [value, column] of [
    [s, COLUMN_INDEX.time_flow_start_ns],
    [e, COLUMN_INDEX.time_flow_end_ns],
  ] as const) {
    if (kept[column] !== 1) continue;
    const data = useColumn(batch, column);
    const sum = BigInt(context.baseLow) + (BigInt(context.baseHigh) << 32n) + BigInt(value);
    data[row * 2] = Number(sum & 0xffffffffn);
    data[row * 2 + 1] = Number((sum >> 32n) & 0xffffffffn);
  }
}
