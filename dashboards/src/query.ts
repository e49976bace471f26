import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import type { FlowQueryInput } from '@ringflow/contract';

/** The data source that the dashboard's variable `ds` names; no dashboard carries a uid of its own. */
export const FLOWS = { type: 'ringflow-flows-datasource', uid: '${ds}' } as const;

/** The Prometheus that scrapes the collector. */
export const PROMETHEUS = { type: 'prometheus', uid: '${prometheus}' } as const;

/** What becomes of records in the browser: rows that open, and host names in place of addresses where the variable is on. */
export interface RecordsView {
  readonly details: true;
  readonly resolve: '$resolve';
}

/** A flow query as a panel's target: the data source's own type, so that dashboards and plugin cannot drift apart. */
export function flowQuery({ refId = 'A', ...query }: FlowQueryInput & Partial<RecordsView>): Builder<Dataquery> {
  return target({ refId, datasource: FLOWS, ...query });
}

/** @param legend Prometheus' legend template, `{{exporter}}` */
export function promQuery(expr: string, legend = '', refId = 'A', instant = false): Builder<Dataquery> {
  return target({
    refId,
    datasource: PROMETHEUS,
    expr,
    legendFormat: legend === '' ? '__auto' : legend,
    ...(instant ? { instant: true, range: false, format: 'table' } : { range: true }),
  });
}

function target(query: object): Builder<Dataquery> {
  return { build: () => ({ ...query, _implementsDataqueryVariant: () => undefined }) };
}

/** A panel's own conditions, and those that the reader set at the top of the dashboard: the data source leaves out what is All or empty. */
export function where(...conditions: readonly string[]): string {
  return [...conditions, 'sampler_address in ($exporter)', '$filter'].join(' and ');
}
