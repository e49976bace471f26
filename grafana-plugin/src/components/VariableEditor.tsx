import React, { useEffect, useState } from 'react';
import { css } from '@emotion/css';
import type { GrafanaTheme2, QueryEditorProps, TimeRange } from '@grafana/data';
import { getTemplateSrv } from '@grafana/runtime';
import { useStyles2 } from '@grafana/ui';
import { errorText } from '../data/errors';
import { variableOptions, type VariableOption } from '../data/variable-options';
import type { FlowDataSource } from '../datasource';
import { VARIABLE, VARIABLE_TYPES } from '../labels';
import type { FlowOptions, PanelQuery, VariableQuery } from '../types';
import { Choice } from './Choice';
import { Field, Row } from './Field';
import { groupOptions, useCatalog } from './fields';
import { FilterEditor } from './FilterEditor';

type Props = QueryEditorProps<FlowDataSource, PanelQuery, FlowOptions, VariableQuery>;

/** What a variable offers, with its first values below. */
export function VariableEditor({ query, onChange, datasource, range }: Props) {
  const catalog = useCatalog(datasource.collector);
  const { type = 'values', field = '', filter = '' } = query;
  const change = (parts: Partial<VariableQuery>) =>
    onChange({ ...query, refId: query.refId || 'variable', type, ...parts });
  const options = groupOptions(catalog);
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.editor}>
      <Row>
        <Field label={VARIABLE.type} htmlFor="variable-type">
          <Choice
            id="variable-type"
            width={28}
            options={VARIABLE_TYPES}
            value={type}
            onChange={(changed) => change({ type: changed })}
          />
        </Field>
        {type === 'values' && (
          <Field label={VARIABLE.field} htmlFor="variable-field">
            <Choice
              id="variable-field"
              width={32}
              createCustomValue
              placeholder={VARIABLE.field}
              options={options}
              value={
                field === '' ? null : (options.find(({ value }) => value === field) ?? { value: field, label: field })
              }
              onChange={(name) => change({ field: name })}
            />
          </Field>
        )}
      </Row>
      {type !== 'fields' && (
        <FilterEditor
          id="variable"
          label={VARIABLE.filter}
          filter={filter}
          onChange={(text) => change({ filter: text })}
          catalog={catalog}
          collector={datasource.collector}
        />
      )}
      <Preview query={{ ...query, type, field, filter }} datasource={datasource} range={range} />
    </div>
  );
}

/** The first values, so that a mistake is seen before the variable is saved. */
function Preview({ query, datasource, range }: Pick<Props, 'query' | 'datasource'> & { range: TimeRange | undefined }) {
  const styles = useStyles2(getStyles);
  const [shown, setShown] = useState<{ options: VariableOption[]; error?: string }>({ options: [] });
  const [fromMs, toMs] = [range?.from.valueOf(), range?.to.valueOf()];
  const { type, field, filter } = query;
  useEffect(() => {
    let ignore = false;
    const request = { targets: [{ refId: 'variable', type, field, filter } as VariableQuery], scopedVars: {} };
    variableOptions({ ...request, fromMs, toMs }, datasource.collector, getTemplateSrv()).then(
      (options) => !ignore && setShown({ options }),
      (error: unknown) => !ignore && setShown({ options: [], error: errorText(error) }),
    );
    return () => {
      ignore = true;
    };
  }, [datasource, type, field, filter, fromMs, toMs]);
  const texts = shown.options.slice(0, 10).map(({ text }) => text);
  return (
    <p className={shown.error ? styles.error : styles.preview} aria-live="polite">
      {VARIABLE.preview}: {shown.error ?? (texts.length === 0 ? VARIABLE.empty : texts.join(', '))}
      {shown.options.length > texts.length && ` … (${shown.options.length})`}
    </p>
  );
}

const getStyles = (theme: GrafanaTheme2) => {
  const line = { ...theme.typography.bodySmall, margin: 0, minHeight: theme.spacing(2.5) };
  return {
    editor: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(1) }),
    preview: css({ ...line, color: theme.colors.text.secondary }),
    error: css({ ...line, color: theme.colors.error.text }),
  };
};
