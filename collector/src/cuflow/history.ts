import {
  DIRECTIONS,
  nameId,
  parseAddress,
  RINGS,
  type ColumnName,
  type NameEntry,
  type Ring,
} from '@ringflow/contract';
import type { Rrd } from '../rrd/index.ts';
import { serviceNumber } from './convert.ts';
import type { CuflowFile, Labels } from './files.ts';
import {
  addSeries,
  bookFile,
  columnsOf,
  COUNTERS,
  COUNTERS_OF_WAY,
  createSeries,
  planTargets,
  subtractSeries,
  type Bucketing,
  type Series,
  type Target,
} from './series.ts';

/** A row of a ring table; keys that are absent are at their default. */
export interface HistoryRow {
  readonly table: string;
  readonly ring: number;
  readonly bucketSeconds: number;
  readonly keys: Readonly<Partial<Record<ColumnName, number>>>;
  /** Of the exporter, sixteen bytes. */
  readonly exporter: Uint8Array;
  /** Bytes, packets, flows. */
  readonly sums: readonly [number, number, number];
  readonly peaks: readonly [number, number, number];
}

export interface HistoryFile extends CuflowFile {
  readonly rrd: Rrd;
}

export interface HistoryOptions {
  readonly labels: Labels;
  /** Tables of the rings that history goes into, finest first. */
  readonly tables: readonly Bucketing[];
  readonly shiftSeconds: number;
  /** Nothing from then on is taken: the collector has counted itself. */
  readonly untilSeconds: number;
}

/** What comes of an OutputDir. */
export interface History {
  readonly targets: readonly Target[];
  /** Names of the networks, whose ids the rows have. */
  readonly names: readonly NameEntry[];
  /** What cannot be brought, or only so. */
  readonly warnings: readonly string[];
  /** Bytes, packets and flows of both directions over everything. */
  readonly total: readonly [number, number, number];
  /** Calls back for every row. */
  rows(emit: (row: HistoryRow) => void): void;
}

/** The series of one exporter, or of all. */
interface Scope {
  readonly exporter: Uint8Array;
  readonly total: Series;
  readonly protocols: Map<number, Series>;
  readonly services: Map<number, Series>;
  readonly tos: Map<number, Series>;
  readonly as: Map<number, Series>;
  readonly networks: Map<number, Series>;
}

/** A cell of a ring: what it is of, and its series. */
type Cell = readonly [keys: Partial<Record<ColumnName, number>>, series: Series];

const NOBODY = new Uint8Array(16);
const IN = DIRECTIONS.indexOf('in');
const OUT = DIRECTIONS.indexOf('out');

/**
 * Turns CUFlow's files into rows of the rings. Every ring gets the total of every bucket: what files do not say is under
 * the keys' defaults ("unknown"), so that no question is answered with more or less than another. What no router's folder
 * has is under no exporter.
 */
export function buildHistory(files: readonly HistoryFile[], options: HistoryOptions): History {
  const { labels, shiftSeconds, untilSeconds } = options;
  const warnings: string[] = [];
  const targets = planTargets(
    files.map(({ rrd }) => rrd),
    options.tables,
    shiftSeconds,
    untilSeconds,
  );
  const book = (wanted: readonly HistoryFile[]): Series => {
    const series = createSeries(targets);
    for (const { rrd, path } of wanted) {
      const columns = columnsOf(rrd);
      if (columns) bookFile(rrd, columns, targets, shiftSeconds, untilSeconds, series);
      else warnings.push(`${path} is left out: it has not the data sources ${COUNTERS.join(', ')}`);
    }
    return series;
  };

  const readScope = (router: string, exporter: Uint8Array): Scope => {
    const of = files.filter((file) => file.router === router);
    const byKey = (kind: CuflowFile['kind'], keyOf: (label: string) => number | undefined): Map<number, Series> => {
      const map = new Map<number, Series>();
      for (const label of new Set(of.filter((file) => file.kind === kind).map((file) => file.label))) {
        const key = keyOf(label);
        const wanted = of.filter((file) => file.kind === kind && file.label === label);
        if (key === undefined) {
          warnings.push(
            `${wanted.map(({ path }) => path).join(', ')}: CUFlow.cf does not say what ${label} is; left out`,
          );
          continue;
        }
        const series = book(wanted);
        const known = map.get(key);
        if (known) addSeries(known, series);
        else map.set(key, series);
      }
      return map;
    };
    return {
      exporter,
      total: book(of.filter(({ kind }) => kind === 'total')),
      protocols: byKey('protocol', (label) => labels.protocols.get(label)),
      services: byKey('service', (label) => {
        const service = labels.services.get(label);
        return service && serviceNumber(service);
      }),
      tos: byKey('tos', (label) => labels.tos.get(label)),
      as: byKey('as', (label) => labels.as.get(label)),
      networks: byKey('network', (label) => nameId(label)),
    };
  };

  const routers = [...new Set(files.map(({ router }) => router))].filter((router) => router !== '').sort();
  const scopes: Scope[] = [];
  for (const router of routers) {
    const address = labels.routers.get(router) ?? router;
    const bytes = parseAddress(address);
    if (bytes) scopes.push(readScope(router, bytes));
    else warnings.push(`${router}/: CUFlow.cf has no Router ${router}; its traffic is under no exporter`);
  }
  const all = readScope('', NOBODY);
  // What the routers' folders do not have is of all of them together.
  const split = (kind: Kind): boolean => scopes.every((scope) => scope[kind].size > 0 || all[kind].size === 0);
  const isWhole = {
    network_service: true,
    tos: !split('tos'),
    as: !split('as'),
    service: !split('services') || !split('protocols'),
  };
  const whole: Scope = { ...all, total: createSeries(targets) };
  const left = withoutOthers(all, scopes);
  scopes.push(left);
  for (const scope of scopes) addSeries(whole.total, scope.total);

  const total: [number, number, number] = [0, 0, 0];
  for (const sums of whole.total.sums)
    sums.forEach((value, index) => (total[(index % COUNTERS_OF_WAY) as 0 | 1 | 2] += value));

  function rows(emit: (row: HistoryRow) => void): void {
    for (const ring of RINGS as readonly Ring[]) {
      for (const scope of isWhole[ring.name as keyof typeof isWhole] ? [whole] : scopes)
        emitCells(ring, scope.exporter, cellsOf(ring, scope), targets, emit);
    }
  }

  return {
    targets,
    names: [...all.networks.keys()].map((id) => networkName(id, files)),
    warnings,
    total,
    rows,
  };
}

type Kind = 'protocols' | 'services' | 'tos' | 'as';

/** What is left of all when the routers are taken away: traffic of exporters without a folder of their own. */
function withoutOthers(all: Scope, scopes: readonly Scope[]): Scope {
  const leftOf = (kind: Kind): Map<number, Series> =>
    new Map(
      [...all[kind]].map(([key, series]) => [
        key,
        rest(
          series,
          scopes.flatMap((scope) => scope[kind].get(key) ?? []),
        ),
      ]),
    );
  return {
    ...all,
    total: rest(
      all.total,
      scopes.map(({ total }) => total),
    ),
    protocols: leftOf('protocols'),
    services: leftOf('services'),
    tos: leftOf('tos'),
    as: leftOf('as'),
  };
}

function networkName(id: number, files: readonly HistoryFile[]): NameEntry {
  const name = files.find(({ kind, label }) => kind === 'network' && nameId(label) === id)?.label ?? '';
  return {
    kind: 'network',
    exporter: '',
    id: String(id),
    name,
    description: '',
    speedBps: 0,
    source: 'enrich',
    attributes: {},
  };
}

/** A copy without others. */
function rest(series: Series, others: readonly Series[]): Series {
  const copy: Series = { sums: series.sums.map((one) => one.slice()), peaks: series.peaks.map((one) => one.slice()) };
  subtractSeries(copy, others);
  return copy;
}

/** Cells of a ring; direction is added where the ring has it. */
function cellsOf(ring: Ring, scope: Scope): Cell[] {
  const { total } = scope;
  const split = (map: ReadonlyMap<number, Series>, key: ColumnName): Cell[] => [
    ...[...map].map(([value, series]): Cell => [{ [key]: value }, series]),
    [{}, rest(total, [...map.values()])],
  ];
  switch (ring.name) {
    case 'tos':
      return split(scope.tos, 'ip_tos');
    case 'as':
      // Which side it is follows from the direction.
      return split(scope.as, 'src_as');
    case 'service':
      return serviceCells(scope);
    case 'network_service':
      // Networks are of all routers together: this ring knows no exporters of that time.
      return split(scope.networks, 'src_network');
    default:
      return [[{}, total]];
  }
}

/** Services lie in protocols, protocols in the total: what is left of each is under no service, or no protocol. */
function serviceCells({ total, protocols, services }: Scope): Cell[] {
  const protoOf = (service: number): number => Math.floor(service / 65_536);
  const cells: Cell[] = [...services].map(([service, series]) => [{ proto: protoOf(service), service }, series]);
  for (const [proto, series] of protocols) {
    const inside = [...services].filter(([service]) => protoOf(service) === proto).map(([, one]) => one);
    cells.push([{ proto }, rest(series, inside)]);
  }
  const outside = [...services].filter(([service]) => !protocols.has(protoOf(service))).map(([, one]) => one);
  cells.push([{}, rest(total, [...protocols.values(), ...outside])]);
  return cells;
}

/** Keys that lie on the outer or the inner side of what goes in; what goes out has them on the other side. */
const OTHER_SIDE: Partial<Record<ColumnName, { in: ColumnName; out: ColumnName }>> = {
  // CUFlow counts the other end's AS, and the inner end's network (CUFlow.pm `wanted`).
  src_as: { in: 'src_as', out: 'dst_as' },
  src_network: { in: 'dst_network', out: 'src_network' },
};

function sided(keys: Partial<Record<ColumnName, number>>, way: 'in' | 'out'): Partial<Record<ColumnName, number>> {
  return Object.fromEntries(
    Object.entries(keys).map(([key, value]) => [OTHER_SIDE[key as ColumnName]?.[way] ?? key, value]),
  );
}

function emitCells(
  ring: Ring,
  exporter: Uint8Array,
  cells: readonly Cell[],
  targets: readonly Target[],
  emit: (row: HistoryRow) => void,
): void {
  const hasDirection = (ring.keys as readonly string[]).includes('direction');
  const isExporter = (ring.keys as readonly string[]).includes('sampler_address');
  for (const [keys, { sums, peaks }] of cells) {
    targets.forEach(({ table, seconds, fromSeconds, buckets }, level) => {
      const [sum, peak] = [sums[level] as Float64Array, peaks[level] as Float64Array];
      for (let bucket = 0; bucket < buckets; bucket++) {
        const at = bucket * COUNTERS.length;
        const row = (direction: number, of: (values: Float64Array, counter: number) => number): void => {
          const values = [0, 1, 2].map((counter) => of(sum, at + counter)) as [number, number, number];
          // A bucket has a minute that is at least as busy as its average.
          const highest = values.map((value, counter) =>
            Math.max(of(peak, at + counter), Math.ceil((value * 60) / seconds)),
          ) as [number, number, number];
          if (values.every((value) => value === 0) && highest.every((value) => value === 0)) return;
          emit({
            table,
            ring: ring.id,
            bucketSeconds: fromSeconds + bucket * seconds,
            keys: direction === 0 ? keys : { ...sided(keys, direction === IN ? 'in' : 'out'), direction },
            exporter: isExporter ? exporter : NOBODY,
            sums: values,
            peaks: highest,
          });
        };
        if (hasDirection) {
          row(IN, (values, index) => values[index] as number);
          row(OUT, (values, index) => values[index + COUNTERS_OF_WAY] as number);
        } else {
          // Of both directions together only the larger one's busiest minute is known to have been.
          row(0, (values, index) =>
            values === sum
              ? (values[index] as number) + (values[index + COUNTERS_OF_WAY] as number)
              : Math.max(values[index] as number, values[index + COUNTERS_OF_WAY] as number),
          );
        }
      }
    });
  }
}
