/** What a panel may be expected to say. Each check compares the frames that the panel got with sums of known records. */
import { migrateQuery, type DataFrameJson, type FlowQueryInput } from '@ringflow/contract';
import { BYTES_BEFORE, USUAL_BYTES, type KnownRecord } from './known-load.ts';
import { EXPORTERS, hostOf } from './known-world.ts';
import {
  factOf,
  groupsOf,
  keyOf,
  peakOf,
  percentileOf,
  piecesOf,
  sumOf,
  type Metric,
  type Span,
  type Sums,
  type Where,
} from './known-sums.ts';
import { valuesOf, type ShownPanel } from './panel-answers.ts';

/** All that was sent, and the time that is looked at. */
export interface Known {
  readonly records: readonly KnownRecord[];
  readonly span: Span;
}
export type Check = (panel: ShownPanel, known: Known) => void;

interface Choice {
  readonly where?: Where;
  /** What an exporter saw is asked, so copies count. Default: where exporters or interfaces are grouped by. */
  readonly copies?: boolean;
  readonly metric?: Metric;
}

const OF_EXPORTERS = ['sampler_address', 'in_if', 'out_if'];

function chosen({ records }: Known, { where = () => true, copies }: Choice, groupBy: readonly string[]): KnownRecord[] {
  const all = copies ?? groupBy.some((name) => OF_EXPORTERS.includes(name));
  return records.filter((record) => (all || !record.copy) && where(record));
}

/** Groups that a panel shows by name: how many there are is a question of room. */
const limitOf = ({ targets = [] }: ShownPanel): number => migrateQuery(targets[0] as FlowQueryInput).limit;

const secondsOf = ({ fromMs, toMs }: Span): number => (toMs - fromMs) / 1000;
const rateOf = (sums: Sums, metric: Metric, span: Span): number =>
  (metric === 'bytes' ? sums.bytes * 8 : sums[metric]) / secondsOf(span);
/** As exact as doubles are after a division. */
const rounded = (value: unknown): unknown => (typeof value === 'number' ? Number(value.toPrecision(10)) : value);
const frameOf = ({ title, frames }: ShownPanel): DataFrameJson => {
  if (frames.length === 0) throw new Error(`${title} has no data`);
  return frames[0] as DataFrameJson;
};
const keysOf = (frame: DataFrameJson, groupBy: readonly string[]): string[] => {
  const columns = groupBy.map((name) => valuesOf(frame, name));
  return (columns[0] ?? []).map((_, row) => keyOf(columns.map((values) => values[row])));
};

/** One number. */
export const total =
  (field: 'bps' | Metric, choice: Choice = {}): Check =>
  (panel, known) => {
    const sums = sumOf(chosen(known, choice, []), known.span);
    const value = field === 'bps' ? rateOf(sums, 'bytes', known.span) : sums[field];
    expect(valuesOf(frameOf(panel), field).map(rounded)).toEqual([rounded(value)]);
  };

/** The busiest minute of everything. */
export const peak: Check = (panel, known) => {
  expect(valuesOf(frameOf(panel), 'peak_bps').map(rounded)).toEqual([
    rounded(peakOf(chosen(known, {}, []), known.span)),
  ]);
};

/** How many different values there are. */
export const distinct =
  (name: string): Check =>
  (panel, known) => {
    const values = new Set(chosen(known, {}, [name]).map((record) => factOf(name, record)));
    expect(valuesOf(frameOf(panel), `unique_${name}`)).toEqual([values.size]);
  };

/**
 * Rows of the largest groups and, where there are more, one of all others: every value is right, the largest groups are
 * those that are shown, shares add up to a hundred.
 */
export const rows =
  (groupBy: readonly string[], columns: readonly string[], choice: Choice & { readonly other?: boolean } = {}): Check =>
  (panel, known) => {
    const { metric = 'bytes', other = true } = choice;
    const limit = limitOf(panel);
    const frame = frameOf(panel);
    const records = chosen(known, choice, groupBy);
    const groups = groupsOf(records, groupBy);
    const sizeOf = (key: string): number => sumOf(groups.get(key) ?? [], known.span)[metric];
    const keys = keysOf(frame, groupBy);
    const largest = [...groups.keys()].map(sizeOf).sort((a, b) => b - a);
    const rest = other && groups.size > limit ? [keyOf(['other', ...groupBy.slice(1).map(() => '')])] : [];
    // Of groups that are equally large any may be the last one that is shown.
    const shown = keys.slice(0, Math.min(limit, groups.size));
    expect(keys.slice(shown.length)).toEqual(rest);
    expect(shown.map(sizeOf).sort((a, b) => b - a)).toEqual(largest.slice(0, limit));
    expect(new Set(shown).size).toBe(shown.length);

    const unnamed = [...groups].flatMap(([key, members]) => (shown.includes(key) ? [] : members));
    const whole = sumOf(records, known.span);
    for (const column of columns) {
      const values = valuesOf(frame, column) as number[];
      const wanted = keys.map((key) => {
        const members = groups.get(key) ?? unnamed;
        return column === 'share'
          ? (sumOf(members, known.span)[metric] / whole[metric]) * 100
          : cell(column, members, known.span, key);
      });
      if (column === 'share') {
        expect(rounded(values.reduce((sum, value) => sum + value, 0))).toBe(100);
        values.forEach((value, row) => expect(Math.abs(value - (wanted[row] as number))).toBeLessThan(0.1));
      } else expect([column, ...values.map(rounded)]).toEqual([column, ...wanted.map(rounded)]);
    }
    if (rest.length > 0 || groups.size <= limit) addsUp(frame, columns, whole);
  };

/** The rows of a table make the whole: what is not shown is in the row of all others. */
function addsUp(frame: DataFrameJson, columns: readonly string[], whole: Sums): void {
  for (const metric of ['bytes', 'packets', 'flows'] as const) {
    if (!columns.includes(metric)) continue;
    const sum = (valuesOf(frame, metric) as number[]).reduce((total, value) => total + value, 0);
    expect([metric, sum]).toEqual([metric, whole[metric]]);
  }
}

/** The client, server, service and exporter that were there before, too. */
const BEFORE = ['10.1.0.10', '142.250.74.10', 'https (TCP/443)', EXPORTERS.edge.address];

function cell(column: string, members: readonly KnownRecord[], span: Span, key: string): number | null {
  const sums = sumOf(members, span);
  const seen = BEFORE.includes(key);
  const above = (base: number): number | null =>
    seen ? Math.round(((sums.bytes - base) / base) * 1000) / 10 : sums.bytes === 0 ? 0 : null;
  const sentBy = (client: boolean) => members.filter(({ clientIsSource }) => clientIsSource === client);
  switch (column) {
    case 'bytes_before':
      return seen ? BYTES_BEFORE : 0;
    case 'change_percent':
      return above(BYTES_BEFORE);
    case 'deviation':
      return above(USUAL_BYTES);
    case 'bytes_from_client':
      return sumOf(sentBy(true), span).bytes;
    case 'bytes_to_client':
      return sumOf(sentBy(false), span).bytes;
    default:
      return sums[column as Metric];
  }
}

type SeriesMeasure = 'rate' | 'total' | 'utilization' | 'peak';
interface SeriesChoice extends Choice {
  readonly measure?: SeriesMeasure;
  readonly other?: boolean;
}

/** Lines: each point of each is right, so that a rate times its time makes the bytes that were sent. */
export const series =
  (groupBy: readonly string[], choice: SeriesChoice = {}): Check =>
  (panel, known) => {
    expect(byKey(shownSeries(frameOf(panel), groupBy))).toEqual(byKey(seriesOf(panel, known, groupBy, choice)));
  };

/** Traffic out of the own networks above the line, traffic into them below it: what is most above is shown in both. */
export const mirrored =
  (groupBy: readonly string[]): Check =>
  (panel, known) => {
    const is =
      (word: string): Where =>
      (record) =>
        factOf('direction', record) === word;
    const way = (word: string, sign: 1 | -1) =>
      seriesOf(panel, known, groupBy, { where: is(word) }, is('out')).map(([key, values]): Line => [
        groupBy.length === 0 ? word : `${key} | ${word}`,
        values.map((value) => (value === 0 ? 0 : sign * Number(value))),
      ]);
    expect(byKey(shownSeries(frameOf(panel), [...groupBy, 'way']))).toEqual(
      byKey([...way('out', 1), ...way('in', -1)]),
    );
  };

/** What each named network sends above the line, what it gets below it. */
export const sentByNetworks: Check = (panel, known) => {
  const way = (field: string, word: string, sign: 1 | -1) =>
    seriesOf(panel, known, [field], { where: (record) => factOf(field, record) !== '' }).map(([key, values]): Line => [
      `${key} (${word})`,
      values.map((value) => (value === 0 ? 0 : sign * Number(value))),
    ]);
  const { schema, data } = frameOf(panel);
  const shown = schema.fields.flatMap(({ type, config }, index): Line[] =>
    type === 'number' ? [[config.displayNameFromDS ?? '', (data.values[index] ?? []).map(rounded)]] : [],
  );
  expect(byKey(shown)).toEqual(byKey([...way('src_network', 'from', 1), ...way('dst_network', 'to', -1)]));
};

type Line = readonly [key: string, values: readonly unknown[]];

/** Lines by name; which of two that are equally large comes first is nobody's business. */
const byKey = (lines: readonly Line[]) => Object.fromEntries(lines);

function shownSeries({ schema, data }: DataFrameJson, groupBy: readonly string[]): Line[] {
  return schema.fields.flatMap(({ type, labels = {} }, index): Line[] =>
    type === 'number' ? [[keyOf(groupBy.map((name) => labels[name])), (data.values[index] ?? []).map(rounded)]] : [],
  );
}

/** @param ranking of which records the largest are shown */
function seriesOf(
  panel: ShownPanel,
  known: Known,
  groupBy: readonly string[],
  choice: SeriesChoice,
  ranking = choice.where,
): Line[] {
  const { metric = 'bytes', measure = 'rate', other = true } = choice;
  const limit = limitOf(panel);
  const pieces = bucketsOf(frameOf(panel), known.span);
  const records = chosen(known, choice, groupBy);
  const size = (members: readonly KnownRecord[]): number =>
    measure === 'peak' ? peakOf(members, known.span) : sumOf(members, known.span)[metric];
  const ranked = [...groupsOf(chosen(known, { ...choice, ...(ranking ? { where: ranking } : {}) }, groupBy), groupBy)]
    .map(([key, members]) => ({ key, size: size(members) }))
    .sort((a, b) => b.size - a.size)
    .slice(0, limit)
    .map(({ key }) => key);
  const groups = [...groupsOf(records, groupBy)].map(([key, members]) => ({ key, members }));
  const shown = groups.filter(({ key }) => ranked.includes(key));
  const rest = groups.flatMap(({ key, members }) => (ranked.includes(key) ? [] : members));
  if (other && rest.length > 0) shown.push({ key: keyOf(groupBy.map(() => 'other')), members: rest });
  return shown.map(({ key, members }) => [
    key,
    pieces.map((piece) => rounded(pointOf(members, piece, metric, measure))),
  ]);
}

function pointOf(members: readonly KnownRecord[], piece: Span, metric: Metric, measure: SeriesMeasure): number {
  const sums = sumOf(members, piece);
  if (measure === 'total') return sums[metric];
  if (measure === 'peak') return peakOf(members, piece);
  const rate = rateOf(sums, metric, piece);
  if (measure === 'rate') return rate;
  return Math.round((rate / speedOf(members)) * 100_000) / 1000;
}

/** Speed of the one interface that records came in by, or else went out by. */
function speedOf(members: readonly KnownRecord[]): number {
  const [first] = members as [KnownRecord];
  const index = members.every(({ inIf }) => inIf === first.inIf) ? first.inIf : first.outIf;
  return first.exporter.interfaces.find((one) => one.index === index)?.speedBps as number;
}

/** The buckets of a frame; they make the whole time. */
function bucketsOf(frame: DataFrameJson, span: Span): Span[] {
  const pieces = piecesOf(span, (frame.schema.meta.custom.stepSeconds ?? 0) * 1000);
  expect(valuesOf(frame, 'time')).toEqual(pieces.map(({ fromMs }) => fromMs));
  return pieces;
}

/** Interfaces by their busiest minute or their 95th percentile. */
export const interfaces =
  (field: 'in_if' | 'out_if', column: 'peak_bps' | 'p95_bps'): Check =>
  (panel, known) => {
    const groupBy = ['sampler_address', field];
    const valueOf = column === 'peak_bps' ? peakOf : percentileOf;
    const wanted = [...groupsOf(known.records, groupBy)]
      .map(([key, members]): [string, number] => [key, valueOf(members, known.span)])
      .sort((a, b) => b[1] - a[1]);
    const frame = frameOf(panel);
    const values = valuesOf(frame, column);
    expect(keysOf(frame, groupBy).map((key, row) => [key, rounded(values[row])])).toEqual(
      wanted.map(([key, value]) => [key, rounded(value)]),
    );
  };

/** Interfaces by how full they are on average. */
export const fullest =
  (field: 'in_if' | 'out_if'): Check =>
  (panel, known) => {
    const groupBy = ['sampler_address', field];
    const wanted = [...groupsOf(known.records, groupBy)].map(([key, members]) => {
      const rate = rateOf(sumOf(members, known.span), 'bytes', known.span);
      return [key, [rounded(rate), Math.round((rate / speedOf(members)) * 100_000) / 1000]] as const;
    });
    const frame = frameOf(panel);
    const [rates, percents] = [valuesOf(frame, 'bps'), valuesOf(frame, 'utilization')];
    const shown = keysOf(frame, groupBy).map((key, row): Line => [key, [rounded(rates[row]), percents[row]]]);
    expect(byKey(shown)).toEqual(byKey(wanted));
  };

/** Ways between the values of two dimensions, and what passes each node. */
export const ways =
  (from: string, to: string): Check =>
  (panel, known) => {
    const [nodes, edges] = panel.frames as readonly [DataFrameJson, DataFrameJson];
    const groups = [...groupsOf(chosen(known, {}, [from, to]), [from, to])]
      .map(([key, members]): [string, Sums] => [key, sumOf(members, known.span)])
      .sort(([, a], [, b]) => b.bytes - a.bytes)
      .slice(0, limitOf(panel));
    const [ids, titles] = [valuesOf(nodes, 'id'), valuesOf(nodes, 'title') as string[]];
    // Ids hold what was counted; of networks these are numbers that nobody knows.
    const value = (id: unknown): string => {
      const text = String(id).replace(/^[a-z]+:/, '');
      return text !== '' && from.endsWith('_network') ? (titles[ids.indexOf(id)] as string) : text;
    };
    const edgeKeys = valuesOf(edges, 'source').map((source, row) =>
      keyOf([value(source), value(valuesOf(edges, 'target')[row])]),
    );
    const column = (frame: DataFrameJson, name: string) => valuesOf(frame, name) as number[];
    expect(edgeKeys).toEqual(groups.map(([key]) => key));
    for (const metric of ['bytes', 'packets', 'flows'] as const) {
      const wanted = groups.map(([, sums]) => sums[metric]);
      const sum = (list: readonly number[]) => list.reduce((total, one) => total + one, 0);
      expect(column(edges, `detail__${metric}`)).toEqual(wanted);
      expect(sum(column(nodes, `detail__sent_${metric}`))).toBe(sum(wanted));
      expect(sum(column(nodes, `detail__received_${metric}`))).toBe(sum(wanted));
    }
  };

/** Places on the map, where they are and what they have. */
export const markers =
  (end: 'server' | 'dst'): Check =>
  (panel, known) => {
    const frame = frameOf(panel);
    const records = chosen(known, { where: (record) => factOf(`${end}_city`, record) !== '' }, []);
    const wanted = [...groupsOf(records, [`${end}_city`])].map(([city, members]) => {
      const [{ clientIsSource, src, dst }] = members as [KnownRecord];
      const { country, latitude, longitude } = hostOf(end === 'dst' || clientIsSource ? dst : src);
      return [city, country, latitude, longitude, ...Object.values(sumOf(members, known.span))] as const;
    });
    wanted.sort((a, b) => Number(b[4]) - Number(a[4]));
    const fields = ['name', 'lookup', 'latitude', 'longitude', 'bytes', 'packets', 'flows'];
    const columns = fields.map((name) => valuesOf(frame, name));
    expect(keysOf(frame, ['name']).map((_, row) => columns.map((values) => values[row]))).toEqual(wanted);
  };

/** Records by their mean packet, in powers of two, over time. */
export const packetSizes: Check = (panel, known) => {
  const frame = frameOf(panel);
  const pieces = bucketsOf(frame, known.span);
  const records = chosen(known, {}, []);
  const rowOf = ({ bytes, packets }: KnownRecord): number => 2 ** Math.ceil(Math.log2(bytes / packets));
  const sizes = frame.schema.fields.slice(1).map(({ name }) => Number(name));
  expect(sizes).toEqual(expect.arrayContaining([...new Set(records.map(rowOf))]));
  for (const size of sizes) {
    const members = records.filter((record) => rowOf(record) === size);
    const wanted = pieces.map((piece) => sumOf(members, piece).flows);
    expect([size, ...valuesOf(frame, String(size))]).toEqual([size, ...wanted]);
  }
};

/** A page that holds every record, latest first, with counters as they were sent. */
export const page =
  (names: readonly string[]): Check =>
  (panel, known) => {
    const frame = frameOf(panel);
    const counters = (record: KnownRecord) => [record.counted.bytes, record.counted.packets];
    const wanted = known.records.map((record) => [
      record.startMs,
      record.endMs,
      ...names.map((name) => factOf(name, record)),
      ...counters(record),
    ]);
    const columns = ['time_flow_start_ns', 'time_flow_end_ns', ...names, 'bytes', 'packets'].map((name) =>
      valuesOf(frame, name),
    );
    const shown = (columns[0] ?? []).map((_, row) =>
      columns.map((values, at) => (at > 1 && at < columns.length - 2 ? String(values[row]) : values[row])),
    );
    const byText = (list: readonly unknown[]) => list.map((one) => JSON.stringify(one)).sort();
    expect(byText(shown)).toEqual(byText(wanted));
    const ends = (columns[1] ?? []) as number[];
    expect(ends).toEqual([...ends].sort((a, b) => b - a));
  };

/** Traffic beside that of a week before, or its deviation from what is usual. */
export const beside =
  (what: 'a week before' | 'deviation'): Check =>
  (panel, known) => {
    const [now, other] = shownSeries(frameOf(panel), []).map(([, values]) => values as number[]);
    const [line] = seriesOf(panel, known, [], {});
    expect(now).toEqual(line?.[1]);
    const pieces = bucketsOf(frameOf(panel), known.span);
    const usualBps = (USUAL_BYTES * 8) / 3600;
    const wanted = pieces.map((piece, index) => {
      if (what === 'deviation') return Math.round((((now?.[index] ?? 0) - usualBps) / usualBps) * 1000) / 10;
      const tenMinutes = { fromMs: known.span.fromMs + 600_000, toMs: known.span.fromMs + 1_200_000 };
      const before = { startMs: tenMinutes.fromMs, endMs: tenMinutes.toMs, bytes: BYTES_BEFORE, packets: 0 };
      return rounded(rateOf(sumOf([before as KnownRecord], piece), 'bytes', piece));
    });
    expect(other).toEqual(wanted);
  };
