import type { ColumnGroup, ColumnName } from './columns.ts';
import type { NameKind } from './inventory.ts';

/**
 * What is known about an id beyond its number: a field to filter, group and show by, looked up when asked and never
 * stored with the record, so that a new name, site or class holds for history too.
 */
export interface Attribute {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly group: ColumnGroup;
  /** Kind of entry that knows it. */
  readonly kind: NameKind;
  /** Column with the id; ids of an exporter's own kinds need `sampler_address` of the same row, too. */
  readonly key: ColumnName;
  /** Which part of the entry: its name, its description, or one of its attributes. */
  readonly part: string;
  /** Values are numbers; such a field is shown but not filtered. */
  readonly number?: boolean;
}

function attribute(
  key: ColumnName,
  kind: NameKind,
  group: ColumnGroup,
  of: string,
  parts: Readonly<Record<string, string>>,
  prefix: string = key,
): Attribute[] {
  return Object.entries(parts).map(([part, what]) => ({
    name: `${prefix}_${part}`,
    label: `${of} ${what}`,
    description: `${of}: ${what}`,
    group,
    kind,
    key,
    part,
    ...(part === 'latitude' || part === 'longitude' ? { number: true } : {}),
  }));
}

/** Akvorado's vocabulary for exporters and networks. */
const ORGANISATION = { role: 'role', site: 'site', region: 'region', tenant: 'tenant' } as const;
const INTERFACE = {
  name: 'name',
  description: 'description',
  connectivity: 'connectivity',
  provider: 'provider',
  boundary: 'boundary',
} as const;
const PLACE = { city: 'city', subdivision: 'subdivision', latitude: 'latitude', longitude: 'longitude' } as const;

const SIDES = [
  ['src', 'Source'],
  ['dst', 'Destination'],
  ['client', 'Client'],
  ['server', 'Server'],
] as const;

export const ATTRIBUTES: readonly Attribute[] = [
  ...attribute(
    'sampler_address',
    'exporter',
    'record',
    'Exporter',
    { name: 'name', group: 'group', ...ORGANISATION },
    'exporter',
  ),
  ...attribute('in_if', 'interface', 'interfaces', 'Input interface', INTERFACE),
  ...attribute('out_if', 'interface', 'interfaces', 'Output interface', INTERFACE),
  ...attribute('ingress_vrf_id', 'vrf', 'interfaces', 'Input VRF', { name: 'name' }, 'ingress_vrf'),
  ...attribute('egress_vrf_id', 'vrf', 'interfaces', 'Output VRF', { name: 'name' }, 'egress_vrf'),
  ...SIDES.flatMap(([side, label]) => [
    ...attribute(`${side}_as`, 'as', 'routing', `${label} AS`, { name: 'name' }),
    ...attribute(`${side}_place`, 'place', 'geography', label, PLACE, side),
    ...attribute(`${side}_network`, 'network', 'networks', `${label} network`, ORGANISATION),
    ...attribute(`${side}_threat`, 'threat', 'threats', `${label} reputation`, { category: 'category', list: 'list' }),
  ]),
  ...attribute('app', 'app', 'application', 'Application', { class: 'class' }),
];
