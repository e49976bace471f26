import type { EventsResponse, FlowEvent } from '@ringflow/contract';
import { FieldType, type DataFrame, type DataQueryRequest } from '@grafana/data';
import type { PanelQuery } from '../types';
import type { Collector } from './collector';
import { interpolateList, type Variables } from './interpolate';

/** The type of query that asks for events instead of flows. */
export const EVENTS = 'events';

export function isEventQuery({ queryType }: Pick<PanelQuery, 'queryType'>): boolean {
  return queryType === EVENTS;
}

/** The events that a query asks for, as a frame. */
export async function eventFrame(
  query: PanelQuery,
  { range, scopedVars }: Pick<DataQueryRequest<PanelQuery>, 'range' | 'scopedVars'>,
  collector: Collector,
  variables: Variables,
): Promise<DataFrame> {
  const exporters = interpolateList(query.exporters ?? [], scopedVars, variables);
  const answer = await collector.events({
    fromMs: range.from.valueOf(),
    toMs: range.to.valueOf(),
    kinds: query.kinds ?? [],
  });
  const of = new Set(exporters);
  const events = answer.events.filter(({ exporter }) => of.size === 0 || of.has(exporter));
  return frameOf({ ...answer, events }, query.refId);
}

function frameOf({ events, complete }: EventsResponse, refId: string): DataFrame {
  const field = (name: string, type: FieldType, value: (event: FlowEvent) => unknown) => ({
    name,
    type,
    config: {},
    values: events.map(value),
  });
  const notices = complete
    ? []
    : [
        {
          severity: 'info' as const,
          text: `Only the latest ${events.length} events: choose fewer kinds or a shorter time`,
        },
      ];
  return {
    refId,
    name: 'events',
    length: events.length,
    meta: { notices },
    fields: [
      field('time', FieldType.time, ({ fromMs }) => fromMs),
      // What lasts has no end yet, and a moment has none at all.
      field('timeEnd', FieldType.time, ({ fromMs, toMs }) => (toMs === fromMs ? null : toMs)),
      field('title', FieldType.string, ({ title }) => title),
      field('text', FieldType.string, ({ text }) => text),
      field('tags', FieldType.string, ({ kind, exporter }) => [kind, exporter].filter((tag) => tag !== '').join(',')),
      // The number that keeps Grafana from offering to edit or delete what is not an annotation of its own.
      field('id', FieldType.number, () => 0),
    ],
  };
}
