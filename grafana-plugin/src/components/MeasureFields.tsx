import React from 'react';
import { MAX_ROWS, MAX_SERIES } from '@ringflow/contract';
import { InlineSwitch } from '@grafana/ui';
import { changeMeasure, changeMetric, measuresOf } from '../data/kind';
import { FORMATS, HINTS, LABELS, measureChoice, METRICS } from '../labels';
import { Choice } from './Choice';
import { NumberInput } from './CommitInput';
import { Field } from './Field';
import type { RowProps } from './QueryEditor';

/** What is counted, how it is shown, and how much of it. */
export function MeasureFields({ query, change, id }: RowProps) {
  const { kind, metric, measure, groupBy } = query;
  const isRecords = kind === 'records';
  const measures = measuresOf(kind, metric).map((value) => measureChoice(value, metric));
  const hasTop = kind !== 'stat' && (groupBy.length > 0 || isRecords);
  return (
    <>
      {!isRecords && (
        <>
          <Field label={LABELS.metric} htmlFor={`${id}-metric`}>
            <Choice
              id={`${id}-metric`}
              width={18}
              options={METRICS}
              value={metric}
              onChange={(value) => change(changeMetric(query, value))}
            />
          </Field>
          <Field label={LABELS.measure} htmlFor={`${id}-measure`}>
            <Choice
              id={`${id}-measure`}
              width={26}
              options={measures}
              value={measure}
              onChange={(value) => change(changeMeasure(query, value))}
            />
          </Field>
        </>
      )}
      {isRecords && (
        <Field label={LABELS.format} htmlFor={`${id}-format`}>
          <Choice
            id={`${id}-format`}
            width={18}
            options={FORMATS}
            value={query.format}
            onChange={(format) => change({ format })}
          />
        </Field>
      )}
      {hasTop && (
        <Field
          label={isRecords ? LABELS.limitRecords : LABELS.limit}
          htmlFor={`${id}-limit`}
          {...(isRecords ? {} : { hint: HINTS.limit })}
        >
          <NumberInput
            id={`${id}-limit`}
            width={8}
            value={query.limit}
            least={1}
            most={kind === 'timeseries' ? MAX_SERIES : MAX_ROWS}
            onCommit={(limit) => change({ limit })}
          />
        </Field>
      )}
      {hasTop && !isRecords && (
        <Field label={LABELS.other} htmlFor={`${id}-other`} hint={HINTS.other}>
          <InlineSwitch
            id={`${id}-other`}
            value={query.other}
            onChange={(event) => change({ other: event.currentTarget.checked })}
          />
        </Field>
      )}
      {kind === 'timeseries' && (
        <Field label={LABELS.mirror} htmlFor={`${id}-mirror`} hint={HINTS.mirror}>
          <InlineSwitch
            id={`${id}-mirror`}
            value={query.mirror}
            onChange={(event) => change({ mirror: event.currentTarget.checked })}
          />
        </Field>
      )}
    </>
  );
}
