import {
  createFieldTable,
  operatorsOf,
  type FieldsResponse,
  type FieldValue,
  type FlowEvent,
} from '@ringflow/contract';
import { dateTime, type DataQueryRequest, type DataSourceInstanceSettings } from '@grafana/data';
import { of, type Observable } from 'rxjs';
import type { Collector, EventsRequest, ValuesRequest } from '../data/collector';
import type { FlowOptions, PanelQuery } from '../types';

/** What Grafana tells a data source about itself. */
export function settings(jsonData: FlowOptions = {}): DataSourceInstanceSettings<FlowOptions> {
  return {
    id: 1,
    uid: 'flows',
    name: 'Flows',
    type: 'ringflow-flows-datasource',
    access: 'proxy',
    url: '/api/datasources/proxy/uid/flows',
    readOnly: false,
    jsonData,
    meta: {} as DataSourceInstanceSettings['meta'],
  };
}

export const FROM_MS = Date.UTC(2026, 10, 21, 9);
export const TO_MS = Date.UTC(2026, 10, 21, 12);

export function request(
  targets: PanelQuery[],
  parts: Partial<DataQueryRequest<PanelQuery>> = {},
): DataQueryRequest<PanelQuery> {
  const [from, to] = [dateTime(FROM_MS), dateTime(TO_MS)];
  return {
    requestId: 'Q100',
    app: 'dashboard',
    interval: '1m',
    intervalMs: 60_000,
    maxDataPoints: 180,
    range: { from, to, raw: { from, to } },
    scopedVars: {},
    startTime: TO_MS,
    timezone: 'utc',
    targets,
    ...parts,
  };
}

type VariableValue = string | string[];

/** Grafana's variables, by name; `['$__all']` is All. */
export function variables(values: Record<string, VariableValue>, options: Record<string, string[]> = {}) {
  const valueOf = (name: string, scoped: Record<string, { value: unknown } | undefined>): VariableValue | undefined => {
    const value = (scoped[name]?.value as VariableValue | undefined) ?? values[name];
    return [value].flat().includes('$__all') ? (options[name] ?? []) : value;
  };
  return {
    getVariables: () => Object.entries(values).map(([name, value]) => ({ name, type: 'custom', current: { value } })),
    replace: jest.fn((text = '', scoped: Record<string, { value: unknown }> = {}, format?: unknown): string =>
      text.replace(/\$\{(\w+)(?::\w+)?\}|\$(\w+)/g, (spelled: string, braced?: string, plain?: string) => {
        const value = valueOf((braced ?? plain) as string, scoped);
        if (value === undefined) return spelled;
        return typeof format === 'function' ? String(format(value)) : [value].flat().join(',');
      }),
    ),
  };
}

/** The collector's fields as it lists them. */
export const FIELDS: FieldsResponse = {
  version: '0.1.0',
  fields: createFieldTable().fields.map((field) => ({
    name: field.name,
    label: field.label,
    description: field.description,
    type: field.kind,
    unit: 'none',
    group: 'record',
    columns: [...field.columns],
    groupable: field.computed === undefined,
    filterable: true,
    sortable: true,
    operators: [...operatorsOf(field.kind)],
    examples: [],
  })),
  metrics: [],
  measures: [],
  kinds: [],
  resolutions: [],
  sets: ['private'],
};

export interface FakeCollector extends Collector {
  readonly asked: ValuesRequest[];
  readonly askedEvents: EventsRequest[];
}

/** A collector that knows these values of each field, and these events. */
export function fakeCollector(values: Record<string, FieldValue[]> = {}, events: FlowEvent[] = []): FakeCollector {
  const asked: ValuesRequest[] = [];
  const askedEvents: EventsRequest[] = [];
  return {
    asked,
    askedEvents,
    fields: async () => FIELDS,
    values: async (wanted) => {
      asked.push(wanted);
      return { field: wanted.field, values: values[wanted.field] ?? [], complete: true };
    },
    exporters: async () => ({
      exporters: [
        { address: '192.0.2.1', name: 'edge1' },
        { address: '192.0.2.2', name: '' },
      ] as never,
    }),
    events: async (wanted) => {
      askedEvents.push(wanted);
      return { events, complete: true };
    },
  };
}

/** Freezes an object and everything in it, so that writing to it throws. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !('_isAMomentObject' in value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) frozen(part);
  }
  return value;
}

/** What Grafana's server answers; `results` as of `/api/ds/query`. */
export function answer(results: Record<string, unknown>): Observable<{ data: unknown }> {
  return of({ data: { results } });
}
