import { MappingType, SpecialValueMatch } from '@grafana/grafana-foundation-sdk/dashboard';
import { createFieldTable } from '@ringflow/contract';
import type { Override } from './colors.ts';

const FIELDS = createFieldTable();

/** What no value means, by field; elsewhere it is `unknown`. */
const NOTHING: Readonly<Record<string, string>> = {
  tcp_flags: 'none',
  src_as: 'private or unknown',
  dst_as: 'private or unknown',
  server_as: 'private or unknown',
  server_country: 'private or unknown',
};

/** Slices and bars would have no name where the value is empty. */
export function emptyIs([field = '']: readonly string[] = []): Override {
  const result = { text: NOTHING[field] ?? 'unknown', index: 0 };
  const mapping = { type: MappingType.SpecialValue, options: { match: SpecialValueMatch.Empty, result } };
  return {
    matcher: { id: 'byName', options: FIELDS.find(field)?.label ?? field },
    properties: [{ id: 'mappings', value: [mapping] }],
  };
}

/** The collector calls a series of no value `unknown`. */
export function nothingOf(groupBy: readonly string[]): Override[] {
  const value = groupBy.length === 1 ? NOTHING[groupBy[0] as string] : undefined;
  if (value === undefined) return [];
  return [{ matcher: { id: 'byName', options: 'unknown' }, properties: [{ id: 'displayName', value }] }];
}

/** Leaves only series whose names end like this; the others are what they are computed from. */
export function hiddenUnless(ending: string): Override[] {
  const value = { viz: true, legend: true, tooltip: true };
  return [
    {
      matcher: { id: 'byRegexp', options: `/^(?!.*${ending}$)(?!Time$)/` },
      properties: [{ id: 'custom.hideFrom', value }],
    },
    // What is hidden would have the left one.
    {
      matcher: { id: 'byRegexp', options: `/${ending}$/` },
      properties: [{ id: 'custom.axisPlacement', value: 'left' }],
    },
  ];
}

/** Cells of a column in the colours of the panel's thresholds. */
export function colored(field: string): Override {
  const cell = { type: 'color-background', mode: 'basic' };
  return {
    matcher: { id: 'byName', options: field },
    properties: [
      { id: 'custom.cellOptions', value: cell },
      { id: 'color', value: { mode: 'thresholds' } },
    ],
  };
}
