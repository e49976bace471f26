import {
  COLUMNS,
  formatCountry,
  METRICS,
  type Attribute,
  type Column,
  type DataFrameJson,
  type FrameNotice,
  type Metric,
} from '@ringflow/contract';
import { COUNTRY_PLACES, type Coordinates } from '../country-places.ts';
import {
  frameOf,
  plainShare,
  quantity,
  quantityConfig,
  quantityName,
  samplingNotices,
  type FilledField,
} from '../frames.ts';
import { quantityText } from '../quantity-text.ts';
import type { NameLookup } from '../resolve.ts';
import type { RunResult } from '../runner.ts';
import { render } from '../sql.ts';
import { columnConfig, isEitherSide, type AnswerColumn } from '../values.ts';
import { named, second } from './frame-parts.ts';
import { dimensionsOf, planGroups, rankedSql } from './grouped.ts';
import type { Kind } from './kind.ts';
import { createGraph, edgeFields, nodeFields, type GraphScale } from './nodes.ts';
import { NO_SUMS, addSums, readRanked, type RankedGroup } from './ranked.ts';
import { secondsOf } from './stat.ts';
import { createUnnamed } from './unnamed.ts';

/** Where a value is on the map, and what it is called there. */
interface Site extends Coordinates {
  readonly id: string;
  readonly name: string;
  /** ISO 3166-1 of two letters; empty when not known. */
  readonly country: string;
}

type SiteOf = (group: RankedGroup, at: number) => Site | undefined;
type Sums = Readonly<Record<Metric, number>>;

/**
 * Traffic on the map. Grouped by one country or place: a row per value with coordinates and, for the panel's own lookup,
 * the country's code. Grouped by two: the places as nodes and the traffic between them as edges, for the layer "network".
 */
export const prepareGeo: Kind = (input) => {
  const { query, names } = input;
  const plan = planGroups(input, query.groupBy);
  const columns = dimensionsOf(query);
  const unnamed = createUnnamed(input, plan);
  const statements = [render(rankedSql(input, plan)), ...unnamed.statements];
  const frames = (results: readonly RunResult[]): DataFrameJson[] => {
    const { groups, rest, highestRate } = readRanked(results[0] as RunResult, columns, names);
    const scale: GraphScale = {
      metric: query.metric,
      measure: query.measure === 'rate' ? 'rate' : 'total',
      seconds: secondsOf(plan.window, input.nowMs),
    };
    const siteOf = createSites(columns, names);
    const placed = groups.filter((group) => columns.every((_, at) => siteOf(group, at) !== undefined));
    const unplaced = groups
      .filter((group) => !placed.includes(group))
      .reduce((sum, { sums }) => addSums(sum, sums), NO_SUMS);
    const notices: FrameNotice[] = [
      ...samplingNotices(plan, highestRate, input.samplingRate),
      ...unnamed.notices(statements, results),
      ...missing(unplaced, 'no_place', 'has no place on the map', scale),
      ...missing(rest, 'truncated', `is not among the top ${groups.length}`, scale),
    ];
    if (query.groupBy.some(isEitherSide))
      notices.push({
        severity: 'info',
        code: 'not_partitioned',
        text: 'A record counts for each of its two sides, so the places add up to more than the total',
      });
    const context = { refId: query.refId, shape: 'geo', plan, statements, results, notices } as const;
    if (columns.length === 1) {
      const total = groups.reduce((sum, { sums }) => sum + sums[query.metric], rest[query.metric]);
      return [frameOf(markerFields(placed, columns[0] as AnswerColumn, siteOf, scale, total), context)];
    }
    return networkFrames(placed, siteOf, scale).map((fields, index) => {
      const frame = frameOf(fields, { ...context, shape: 'graph' });
      return index === 0 ? named('nodes', frame) : named('edges', second(frame));
    });
  };
  return { statements, frames };
};

function missing(
  sums: Sums,
  code: FrameNotice['code'],
  what: string,
  { metric, measure, seconds }: GraphScale,
): FrameNotice[] {
  if (sums.bytes + sums.packets + sums.flows === 0) return [];
  return [{ severity: 'info', code, text: `${quantityText(sums[metric], metric, measure, seconds)} ${what}` }];
}

function markerFields(
  groups: readonly RankedGroup[],
  column: AnswerColumn,
  siteOf: SiteOf,
  { metric, measure, seconds }: GraphScale,
  total: number,
): FilledField[] {
  const sites = groups.map((group) => siteOf(group, 0) as Site);
  return [
    {
      name: column.name,
      type: 'string',
      config: columnConfig(column),
      values: groups.map(({ label }) => label.texts[0] ?? ''),
    },
    { name: 'name', type: 'string', config: { displayNameFromDS: 'Name' }, values: sites.map(({ name }) => name) },
    ...placeFields(sites),
    // The metric that was asked for comes first: markers are sized by it.
    ...[metric, ...METRICS.filter((one) => one !== metric)].map((one): FilledField => ({
      name: quantityName(one, measure),
      type: 'number',
      config: quantityConfig(one, measure),
      values: groups.map(({ sums }) => quantity(sums[one], one, measure, seconds)),
    })),
    {
      name: 'share',
      type: 'number',
      config: quantityConfig(metric, 'share'),
      values: groups.map(({ sums }) => plainShare(sums[metric], total)),
    },
  ];
}

/** The names that the geomap panel looks for when it is left to find them itself (grafana.md 4.7). */
function placeFields(sites: readonly Site[]): FilledField[] {
  return [
    {
      name: 'lookup',
      type: 'string',
      config: { displayNameFromDS: 'Country code', description: 'ISO 3166-1' },
      values: sites.map(({ country }) => country),
    },
    degrees(
      'latitude',
      'Latitude',
      sites.map(({ latitude }) => latitude),
    ),
    degrees(
      'longitude',
      'Longitude',
      sites.map(({ longitude }) => longitude),
    ),
  ];
}

function degrees(name: string, label: string, values: number[]): FilledField {
  return { name, type: 'number', config: { displayNameFromDS: label, unit: 'degree', decimals: 4 }, values };
}

function networkFrames(
  groups: readonly RankedGroup[],
  siteOf: SiteOf,
  scale: GraphScale,
): [FilledField[], FilledField[]] {
  const graph = createGraph();
  const sites = new Map<string, Site>();
  for (const group of groups) {
    const ends = [siteOf(group, 0) as Site, siteOf(group, 1) as Site];
    for (const site of ends) sites.set(site.id, site);
    graph.add(
      ends.map(({ id, name, country }) => ({
        id,
        title: name,
        subtitle: name === country ? '' : country,
        locality: 'unknown',
      })),
      group.sums,
    );
  }
  const nodes = [...graph.nodes.values()];
  const fields = nodeFields(nodes, scale);
  const places = placeFields(nodes.map(({ id }) => sites.get(id) as Site));
  return [[...fields.slice(0, 3), ...places, ...fields.slice(3)], edgeFields([...graph.edges.values()], scale)];
}

/** Finds the places of groups: coordinates of their own, else those of their country. */
function createSites(columns: readonly AnswerColumn[], names: NameLookup): SiteOf {
  const places = columns.some(({ names: kind }) => kind === 'place') ? placesOf(names) : new Map<number, Place>();
  return ({ label }, at) => {
    const column = columns[at] as AnswerColumn;
    const value = Number(label.values[at]);
    if (value === 0) return undefined;
    const place = column.names === 'place' ? places.get(value) : undefined;
    const country = column.names === 'place' ? (place?.country ?? '') : formatCountry(value);
    const where = place?.coordinates ?? COUNTRY_PLACES.get(country);
    return where && { id: `${value}`, name: label.names[at] ?? (country || String(value)), country, ...where };
  };
}

interface Place {
  readonly country: string;
  readonly coordinates: Coordinates | undefined;
}

function placesOf(names: NameLookup): Map<number, Place> {
  const read = (part: string): Map<number, string> =>
    new Map(names.attributeValues(placePart(part)).map(({ id, value }) => [id, value]));
  const [country, latitude, longitude] = [read('country'), read('latitude'), read('longitude')];
  const ids = new Set([...country.keys(), ...latitude.keys()]);
  return new Map(
    [...ids].map((id) => {
      const [lat, lon] = [Number(latitude.get(id)), Number(longitude.get(id))];
      const known = latitude.has(id) && longitude.has(id) && Number.isFinite(lat) && Number.isFinite(lon);
      return [
        id,
        { country: country.get(id) ?? '', coordinates: known ? { latitude: lat, longitude: lon } : undefined },
      ];
    }),
  );
}

const PLACE_COLUMN = (COLUMNS as readonly Column[]).find(({ name }) => name === 'src_place') as Column;

function placePart(part: string): Attribute {
  return {
    name: `src_${part}`,
    label: part,
    description: part,
    group: PLACE_COLUMN.group,
    kind: 'place',
    key: 'src_place',
    part,
  };
}
