import {
  COLUMNS,
  FIELDS_RESPONSE_SCHEMA,
  MEASURES,
  METRICS,
  operatorsOf,
  QUERY_KINDS,
  QUERY_RESOLUTIONS,
  type Column,
  type FieldInfo,
  type FieldKind,
  type FieldsResponse,
  type FilterField,
} from '@ringflow/contract';
import { DIMENSIONS, FIELDS, isEitherSide } from '../query/index.ts';
import type { Route } from './route.ts';

/** Something to paste for each kind of field; `$` is its name. */
const EXAMPLES: Readonly<Record<FieldKind, readonly string[]>> = {
  number: ['$ > 10'],
  port: ['$ = 443', '$ in (80, 443, 8000-8100)'],
  asn: ['$ = AS15169'],
  proto: ['$ = tcp'],
  etype: ['$ = IPv6'],
  flowType: ['$ = IPFIX'],
  direction: ['$ = ingress'],
  tcpFlags: ['$ has syn and not $ has ack'],
  quality: ['$ has sampling_unknown'],
  service: ['$ = https'],
  interface: ['$ = 3', '$ like "Gi%"'],
  exporter: ['$ = 192.0.2.1', '$ = "edge1"'],
  addr: ['$ in 10.0.0.0/8', '$ = 2001:db8::1'],
  mac: ['$ = 00:11:22:33:44:55'],
  text: ['$ ilike "%guest%"'],
  hex: ['$ = "0d000001"'],
  time: ['$ >= 2026-01-31T12:00:00Z'],
  duration: ['$ > 30s'],
  list: ['$ has 3356'],
  word: [],
  country: ['$ = DE', '$ in (DE, FR)'],
  named: ['$ = "name"', '$ like "na%"'],
  attribute: ['$ = "text"', '$ like "te%"'],
};

const UNIT_EXAMPLES: Readonly<Record<string, readonly string[]>> = { bytes: ['$ > 10M'], packets: ['$ > 1k'] };

export const FIELD_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/fields',
    operationId: 'fields',
    tag: 'query',
    summary: 'Fields to filter and group by, and what queries can be made of',
    access: 'token',
    answer: FIELDS_RESPONSE_SCHEMA,
    handle: (_, { deps }) => {
      const body: FieldsResponse = {
        version: deps.version,
        fields: FIELDS.fields.map(fieldInfo),
        metrics: [...METRICS],
        measures: [...MEASURES],
        kinds: [...QUERY_KINDS],
        resolutions: [...QUERY_RESOLUTIONS],
        sets: Object.keys(deps.sets ?? {}),
      };
      return { body };
    },
  },
];

const BY_NAME: ReadonlyMap<string, Column> = new Map(COLUMNS.map((column) => [column.name, column]));

function fieldInfo(field: FilterField): FieldInfo {
  const first = BY_NAME.get(field.columns[0] as string);
  const unit = field.computed ? COMPUTED_UNITS[field.computed] : (first?.unit ?? 'none');
  return {
    name: field.name,
    label: field.label,
    description: field.description,
    type: field.kind,
    unit,
    group: first?.group ?? 'record',
    columns: [...field.columns],
    groupable: DIMENSIONS.includes(field.name),
    filterable: true,
    sortable: !field.computed && DIMENSIONS.includes(field.name) && !isEitherSide(field.name),
    operators: [...operatorsOf(field.kind)],
    examples: (UNIT_EXAMPLES[unit] ?? examplesOf(field)).map((example) => example.replaceAll('$', field.name)),
  };
}

function examplesOf({ kind, words }: FilterField): readonly string[] {
  const word = words?.find((text) => text !== '');
  return word === undefined ? EXAMPLES[kind] : [`$ = ${word}`];
}

const COMPUTED_UNITS: Readonly<Record<NonNullable<FilterField['computed']>, string>> = {
  dscp: 'none',
  duration: 'time',
  bps: 'bits/s',
  pps: 'packets/s',
  bpp: 'bytes',
};
