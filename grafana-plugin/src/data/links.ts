import { combineFilters, createFieldTable, valueCondition, type FilterField } from '@ringflow/contract';
import type { DataFrame, DataLink, Field } from '@grafana/data';
import type { PanelQuery } from '../types';

/** The data source that links lead to. */
export interface LinkTarget {
  readonly uid: string;
  readonly name: string;
}

type LinkQuery = Omit<PanelQuery, 'refId'>;

interface LinkKind {
  readonly title: string;
  readonly query: (filter: string) => LinkQuery;
}

const RECORDS: LinkKind = {
  title: 'Flow records of',
  query: (filter) => ({ kind: 'records', format: 'both', details: true, filter }),
};
const by = (title: string, groupBy: string[]): LinkKind => ({
  title,
  query: (filter) => ({ kind: 'timeseries', groupBy, filter }),
});

/** What can be asked about a value, by the kind of its field: the first is what a click should do. */
const KINDS: Readonly<Partial<Record<FilterField['kind'], readonly LinkKind[]>>> = {
  addr: [RECORDS, by('Applications of', ['app']), by('Peers of', ['src_addr', 'dst_addr'])],
  asn: [by('Traffic between', ['src_as', 'dst_as']), RECORDS],
  exporter: [by('Interfaces of', ['sampler_address', 'in_if']), RECORDS],
  interface: [by('Applications on', ['app']), RECORDS],
  country: [by('AS of', ['src_as', 'dst_as'])],
  named: [by('Traffic over time of', [])],
};

const FIELDS = createFieldTable();

/** The text of a cell, in quotes: whatever stands in it, it stays a value. */
const VALUE = '"${__value.raw}"';

/**
 * Adds links to the fields of a frame whose values can be asked about: addresses, AS, exporters, interfaces … The link
 * keeps the filter of the query that the frame answers. Frames are copied.
 *
 * @param filter as it was sent, without variables
 */
export function withLinks(frame: DataFrame, filter: string, target: LinkTarget): DataFrame {
  const names = new Set(frame.fields.map(({ name }) => name));
  return {
    ...frame,
    fields: frame.fields.map((field) => {
      const links = field.labels ? seriesLinks(field, filter, target) : cellLinks(field, names, filter, target);
      return links.length === 0
        ? field
        : { ...field, config: { ...field.config, links: [...(field.config.links ?? []), ...links] } };
    }),
  };
}

function cellLinks({ name }: Field, names: ReadonlySet<string>, filter: string, target: LinkTarget): DataLink[] {
  // The name of an address is not its address, but it stands beside it.
  const key = name.endsWith('_name') && names.has(name.slice(0, -5)) ? name.slice(0, -5) : name;
  const field = FIELDS.find(key);
  if (!field || field.name !== key) return [];
  const value = key === name ? VALUE : `"\${__data.fields.${key}}"`;
  // An ifIndex means nothing without its exporter.
  const exporter =
    field.kind === 'interface' && names.has('sampler_address')
      ? 'sampler_address = "${__data.fields.sampler_address}"'
      : '';
  const condition = combineFilters([exporter, `${key} = ${value}`]);
  return (KINDS[field.kind] ?? []).map(({ title, query }) =>
    link(`${title} \${__value.text}`, query(combineFilters([filter, condition])), target),
  );
}

/** A series leads to the records behind it. */
function seriesLinks({ labels = {} }: Field, filter: string, target: LinkTarget): DataLink[] {
  const conditions = Object.entries(labels).flatMap(([name, value]) => {
    const field = FIELDS.find(name);
    return field && field.name === name && value !== 'other' ? [valueCondition(field, [value], true)] : [];
  });
  if (conditions.length === 0) return [];
  return [link('Flow records of this series', RECORDS.query(combineFilters([filter, ...conditions])), target)];
}

function link(title: string, query: LinkQuery, { uid, name }: LinkTarget): DataLink {
  return { title, url: '', internal: { datasourceUid: uid, datasourceName: name, query: { refId: 'A', ...query } } };
}
