import { FAMILIES, INFO_GAUGES, MEASURES, type Family, type Measure } from './definitions.ts';
import type { Matcher } from './matchers.ts';

/** Gauges that a selector may mean, and what is left of it for their labels. */
export interface Selection {
  readonly gauges: readonly Gauge[];
  readonly matchers: readonly Matcher[];
  /** Name of the resolution that the selector forces. */
  readonly resolution: string | undefined;
}

export type Gauge =
  | { readonly name: string; readonly family: Family; readonly measure: Measure }
  | { readonly name: string; readonly info: (typeof INFO_GAUGES)[number]['name'] };

const NAME = '__name__';
/** Not a label of any series: `{__resolution__="1h"}` says which rings to read. */
const RESOLUTION = '__resolution__';

const GAUGES: readonly (Gauge & { readonly labels: readonly string[] })[] = [
  ...FAMILIES.flatMap((family) =>
    MEASURES.map((measure) => ({ name: family.prefix + measure.suffix, family, measure, labels: family.labels })),
  ),
  ...INFO_GAUGES.map(({ name, labels }) => ({ name, info: name, labels })),
].sort((a, b) => (a.name < b.name ? -1 : 1));

/** By name, and by the labels that a gauge does not have: a matcher sees them as empty. In the order of their names. */
export function selectGauges(all: readonly Matcher[]): Selection {
  const forced = all.find(({ name }) => name === RESOLUTION)?.values?.[0];
  const matchers = all.filter(({ name }) => name !== RESOLUTION && name !== NAME);
  const named = all.filter(({ name }) => name === NAME);
  const gauges = GAUGES.filter(
    ({ name, labels }) =>
      named.every(({ matches }) => matches(name)) &&
      matchers.every((matcher) => labels.includes(matcher.name) || matcher.matches('')),
  );
  return { gauges, matchers, resolution: forced };
}
