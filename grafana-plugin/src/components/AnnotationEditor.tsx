import React from 'react';
import { EVENT_KINDS } from '@ringflow/contract';
import type { QueryEditorProps } from '@grafana/data';
import { type ComboboxOption } from '@grafana/ui';
import { EVENTS } from '../data/events';
import type { FlowDataSource } from '../datasource';
import { ANNOTATION, EVENT_LABELS } from '../labels';
import type { FlowOptions, PanelQuery } from '../types';
import { Field, Row } from './Field';
import { LabelledMultiCombobox } from './LabelledMultiCombobox';

type Props = QueryEditorProps<FlowDataSource, PanelQuery, FlowOptions>;

const KINDS: ComboboxOption[] = EVENT_KINDS.map((value) => ({ value, label: EVENT_LABELS[value] }));

/** Which events are drawn into the panels of a dashboard. */
export function AnnotationEditor({ query, onChange, onRunQuery, datasource }: Props) {
  const { kinds = [], exporters = [] } = query ?? {};
  const change = (parts: Partial<PanelQuery>) => {
    onChange({ ...query, refId: query?.refId || 'Events', queryType: EVENTS, ...parts });
    onRunQuery();
  };
  const exporterOptions = async (search: string): Promise<ComboboxOption[]> => {
    const known = await datasource.collector.exporters().catch(() => ({ exporters: [] }));
    return known.exporters
      .map(({ address, name }) => ({ value: address, label: name || address, description: address }))
      .filter(({ value, label }) => `${value} ${label}`.toLowerCase().includes(search.toLowerCase()));
  };
  return (
    <Row>
      <Field label={ANNOTATION.kinds} htmlFor="annotation-kinds" hint={ANNOTATION.kindsHint} grow>
        <LabelledMultiCombobox
          id="annotation-kinds"
          label={ANNOTATION.kinds}
          minWidth={32}
          maxWidth={160}
          isClearable
          placeholder="All kinds"
          options={KINDS}
          value={KINDS.filter(({ value }) => kinds.includes(value))}
          onChange={(chosen) => change({ kinds: chosen.map(({ value }) => value) })}
        />
      </Field>
      <Field label={ANNOTATION.exporters} htmlFor="annotation-exporters" hint={ANNOTATION.exportersHint} grow>
        <LabelledMultiCombobox
          id="annotation-exporters"
          label={ANNOTATION.exporters}
          minWidth={32}
          maxWidth={160}
          isClearable
          createCustomValue
          placeholder="All exporters"
          options={exporterOptions}
          value={exporters.map((value) => ({ value, label: value }))}
          onChange={(chosen) => change({ exporters: chosen.map(({ value }) => value) })}
        />
      </Field>
    </Row>
  );
}
