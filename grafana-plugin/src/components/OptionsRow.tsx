import React from 'react';
import { css } from '@emotion/css';
import { MAX_DIMENSIONS, METRICS as METRIC_NAMES, type FlowQuery } from '@ringflow/contract';
import type { GrafanaTheme2 } from '@grafana/data';
import { InlineSwitch, useStyles2, type ComboboxOption } from '@grafana/ui';
import type { ViewParts } from '../types';
import { COMPARES, DUPLICATES, HINTS, LABELS, METRICS, RESOLUTIONS } from '../labels';
import { Choice } from './Choice';
import { CommitInput, NumberInput } from './CommitInput';
import { Field, Row } from './Field';
import { chosen, groupOptions, type Catalog } from './fields';
import { LabelledMultiCombobox } from './LabelledMultiCombobox';
import type { RowProps } from './QueryEditor';

interface OptionsProps extends RowProps {
  catalog: Catalog;
  /** What becomes of the answer. */
  view: ViewParts;
  changeView: (parts: ViewParts) => void;
}

/** What is rarely changed: folded away, with what differs from the usual in the heading. */
export function OptionsRow({ query, change, id, catalog, view, changeView }: OptionsProps) {
  const styles = useStyles2(getStyles);
  const { kind } = query;
  const hasHistory = kind === 'timeseries' || kind === 'table';
  const isPaged = kind === 'table' || kind === 'records';
  return (
    <details className={styles.details}>
      <summary className={styles.summary}>
        {LABELS.options} <span className={styles.set}>{changedOptions(query).join(' · ')}</span>
      </summary>
      <div className={styles.body}>
        <Row>
          {hasHistory && (
            <Field label={LABELS.compare} htmlFor={`${id}-compare`} hint={HINTS.compare}>
              <Choice
                id={`${id}-compare`}
                width={20}
                options={COMPARES}
                value={query.compare}
                onChange={(compare) => change({ compare })}
              />
            </Field>
          )}
          {hasHistory && (
            <Field label={LABELS.baseline} htmlFor={`${id}-baseline`} hint={HINTS.baseline}>
              <InlineSwitch
                id={`${id}-baseline`}
                value={query.baseline}
                onChange={(event) => change({ baseline: event.currentTarget.checked })}
              />
            </Field>
          )}
          {kind !== 'records' && (
            <Field label={LABELS.resolution} htmlFor={`${id}-resolution`} hint={HINTS.resolution}>
              <Choice
                id={`${id}-resolution`}
                width={20}
                options={RESOLUTIONS}
                value={query.resolution}
                onChange={(resolution) => change({ resolution })}
              />
            </Field>
          )}
          {kind !== 'records' && (
            <Field label={LABELS.duplicates} htmlFor={`${id}-duplicates`} hint={HINTS.duplicates}>
              <Choice
                id={`${id}-duplicates`}
                width={18}
                options={DUPLICATES}
                value={query.duplicates}
                onChange={(duplicates) => change({ duplicates })}
              />
            </Field>
          )}
          {isPaged && <Order query={query} change={change} id={id} catalog={catalog} />}
          {isPaged && (
            <Field label={LABELS.offset} htmlFor={`${id}-offset`} hint={HINTS.offset}>
              <NumberInput
                id={`${id}-offset`}
                width={12}
                value={query.offset}
                least={0}
                most={1_000_000}
                onCommit={(offset) => change({ offset })}
              />
            </Field>
          )}
          {kind === 'records' && (
            <Field label={LABELS.columns} htmlFor={`${id}-columns`} hint={HINTS.columns} grow>
              <Columns query={query} change={change} id={id} catalog={catalog} />
            </Field>
          )}
          {kind === 'records' && query.format !== 'logs' && (
            <Field label={LABELS.details} htmlFor={`${id}-details`} hint={HINTS.details}>
              <InlineSwitch
                id={`${id}-details`}
                value={view.details ?? false}
                onChange={(event) => changeView({ details: event.currentTarget.checked })}
              />
            </Field>
          )}
          {isPaged && (
            <Field label={LABELS.resolve} htmlFor={`${id}-resolve`} hint={HINTS.resolve}>
              <InlineSwitch
                id={`${id}-resolve`}
                value={view.resolve === true}
                onChange={(event) => changeView({ resolve: event.currentTarget.checked })}
              />
            </Field>
          )}
          {kind === 'timeseries' && (
            <Field label={LABELS.legend} htmlFor={`${id}-legend`} hint={HINTS.legend} grow>
              <CommitInput
                id={`${id}-legend`}
                value={query.legend}
                placeholder={legendExample(query)}
                onCommit={(legend) => change({ legend })}
              />
            </Field>
          )}
        </Row>
      </div>
    </details>
  );
}

function legendExample({ groupBy }: FlowQuery): string {
  return groupBy.length === 0 ? 'Total' : groupBy.map((name) => `{{${name}}}`).join(' → ');
}

type ListProps = RowProps & { catalog: Catalog };

function Columns({ query, change, id, catalog }: ListProps) {
  const options = groupOptions(catalog);
  return (
    <LabelledMultiCombobox
      id={`${id}-columns`}
      label={LABELS.columns}
      minWidth={30}
      maxWidth={160}
      isClearable
      options={options}
      value={chosen(query.columns, options)}
      onChange={(selected) => change({ columns: selected.map(({ value }) => value) })}
    />
  );
}

/** One field to order by; several, which JSON may have, are shown by their first. */
function Order({ query, change, id, catalog }: ListProps) {
  const options = orderOptions(query, catalog);
  const [first] = query.sort;
  return (
    <>
      <Field label={LABELS.sort} htmlFor={`${id}-sort`}>
        <Choice
          id={`${id}-sort`}
          width={26}
          placeholder={query.kind === 'records' ? 'Latest first' : 'What is counted'}
          options={options}
          value={first ? (chosen([first.by], options)[0] ?? null) : null}
          onChange={(by) => change({ sort: [{ by, descending: first?.descending ?? true }] })}
          onClear={() => change({ sort: [] })}
        />
      </Field>
      {first && (
        <Field label={LABELS.descending} htmlFor={`${id}-descending`}>
          <InlineSwitch
            id={`${id}-descending`}
            value={first.descending}
            onChange={(event) =>
              change({ sort: [{ ...first, descending: event.currentTarget.checked }, ...query.sort.slice(1)] })
            }
          />
        </Field>
      )}
    </>
  );
}

function orderOptions({ kind, groupBy }: FlowQuery, catalog: Catalog): ComboboxOption[] {
  if (kind === 'records') return groupOptions(catalog);
  const sums = METRIC_NAMES.map((value) => ({
    value: value as string,
    label: METRICS.find((one) => one.value === value)?.label ?? value,
  }));
  return [...sums, ...chosen(groupBy, groupOptions(catalog))].slice(0, MAX_DIMENSIONS);
}

/** What differs from the usual, in a few words. */
export function changedOptions(query: FlowQuery): string[] {
  const label = <T extends string>(choices: ReadonlyArray<{ value: T; label: string }>, value: T) =>
    choices.find((choice) => choice.value === value)?.label ?? value;
  const isRecords = query.kind === 'records';
  return [
    query.compare === 'none' ? '' : `against ${label(COMPARES, query.compare)}`,
    query.baseline ? 'deviation from usual' : '',
    query.resolution === 'auto' || isRecords ? '' : label(RESOLUTIONS, query.resolution),
    query.duplicates === 'auto' || isRecords ? '' : `duplicates: ${label(DUPLICATES, query.duplicates).toLowerCase()}`,
    query.sort[0] ? `by ${query.sort[0].by}` : '',
    query.offset ? `from row ${typeof query.offset === 'number' ? query.offset + 1 : String(query.offset)}` : '',
    query.columns.length > 0 ? `${query.columns.length} columns` : '',
    query.legend === '' ? '' : `legend ${query.legend}`,
  ].filter((text) => text !== '');
}

const getStyles = (theme: GrafanaTheme2) => ({
  details: css({ margin: 0 }),
  summary: css({
    ...theme.typography.bodySmall,
    color: theme.colors.text.primary,
    cursor: 'pointer',
    width: 'fit-content',
    '&:focus-visible': { outline: `2px solid ${theme.colors.primary.main}`, outlineOffset: '2px' },
  }),
  set: css({ color: theme.colors.text.secondary, marginLeft: theme.spacing(1) }),
  // What is inside <details> does not inherit Grafana's box model from above it.
  body: css({ boxSizing: 'border-box', paddingTop: theme.spacing(1) }),
});
