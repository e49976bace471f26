import React, { useState } from 'react';
import { css } from '@emotion/css';
import { createFieldTable, operatorsOf, parseFilter, sampleFilter } from '@ringflow/contract';
import type { GrafanaTheme2 } from '@grafana/data';
import { Button, IconButton, useStyles2, type ComboboxOption } from '@grafana/ui';
import { filterOf, isComplete, rowsOf, takesSeveral, type FilterRow } from '../data/filter-rows';
import { LABELS } from '../labels';
import { Choice } from './Choice';
import { CommitInput } from './CommitInput';
import { filterOptions } from './fields';
import { LabelledMultiCombobox } from './LabelledMultiCombobox';
import type { FilterProps } from './FilterEditor';
import { valueOptions } from './values';

const FIELDS = createFieldTable();
const EMPTY_ROW: FilterRow = { field: '', operator: '=', values: [] };

/** A filter as rows of field, operator and values, all of which must hold. */
export function FilterBuilder({ filter, onChange, ...rest }: FilterProps) {
  const styles = useStyles2(getStyles);
  const [rows, setRows] = useState(() => rowsOf(filter) ?? []);
  const [seen, setSeen] = useState(filter);
  // Changed by somebody else: a click on a cell, the text mode, undo. Rows that wait for their value stay otherwise.
  if (seen !== filter) {
    setSeen(filter);
    const stored = rowsOf(filter) ?? [];
    if (filterOf(stored) !== filterOf(rows)) setRows(stored);
  }
  const update = (next: FilterRow[]) => {
    setRows(next);
    const text = filterOf(next);
    // A row without a value says nothing yet.
    if (text !== filterOf(rowsOf(filter) ?? [])) onChange(text);
  };
  const add = () => setRows([...rows, EMPTY_ROW]);
  return (
    <div className={styles.rows}>
      {rows.map((row, index) => (
        <ConditionRow
          key={index}
          {...rest}
          id={`${rest.id}-condition-${index}`}
          number={index + 1}
          row={row}
          others={filterOf(rows.filter((other) => other !== row))}
          onChange={(changed) => update(rows.map((other, at) => (at === index ? changed : other)))}
          onRemove={() => update(rows.filter((_, at) => at !== index))}
        />
      ))}
      <Button variant="secondary" size="sm" icon="plus" onClick={add} className={styles.add}>
        {LABELS.addCondition}
      </Button>
    </div>
  );
}

interface ConditionProps extends Omit<FilterProps, 'filter' | 'onChange'> {
  number: number;
  row: FilterRow;
  /** What the other rows say: values are offered that occur with it. */
  others: string;
  onChange: (row: FilterRow) => void;
  onRemove: () => void;
}

function ConditionRow({
  id,
  number,
  row,
  others,
  catalog,
  collector,
  fromMs,
  toMs,
  onChange,
  onRemove,
}: ConditionProps) {
  const styles = useStyles2(getStyles);
  const field = FIELDS.find(row.field);
  const problem = problemOf(row);
  const choose = (name: string) => {
    const kept = FIELDS.find(name)?.kind === field?.kind;
    const operators = operatorChoices(name);
    const operator = operators.some(({ value }) => value === row.operator)
      ? row.operator
      : (operators[0]?.value ?? '=');
    onChange({ field: name, operator, values: kept ? row.values : [] });
  };
  const window = { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) };
  return (
    <div className={styles.row} role="group" aria-label={`Condition ${number}`}>
      <label className="sr-only" htmlFor={`${id}-field`}>{`${LABELS.field} ${number}`}</label>
      <Choice
        id={`${id}-field`}
        width={24}
        placeholder={LABELS.field}
        autoFocus={row === EMPTY_ROW}
        options={filterOptions(catalog)}
        value={row.field === '' ? null : { value: row.field, label: field?.label ?? row.field }}
        onChange={choose}
      />
      <label className="sr-only" htmlFor={`${id}-operator`}>{`${LABELS.operator} ${number}`}</label>
      <Choice
        id={`${id}-operator`}
        width={12}
        disabled={row.field === ''}
        options={operatorChoices(row.field)}
        value={row.operator}
        onChange={(operator) =>
          onChange({ ...row, operator, values: takesSeveral(operator) ? row.values : row.values.slice(0, 1) })
        }
      />
      <label className="sr-only" htmlFor={`${id}-values`}>{`${LABELS.values} ${number}`}</label>
      {takesSeveral(row.operator) ? (
        <LabelledMultiCombobox
          label={`${LABELS.values} ${number}`}
          key={`${row.field}-${others}`}
          id={`${id}-values`}
          minWidth={36}
          maxWidth={80}
          createCustomValue
          disabled={row.field === ''}
          invalid={problem !== undefined}
          placeholder={LABELS.values}
          options={(search) => valueOptions({ field: row.field, search, others, ...window }, catalog, collector)}
          value={row.values.map((value): ComboboxOption => ({ value, label: value === '' ? '(none)' : value }))}
          onChange={(selected) => onChange({ ...row, values: selected.map(({ value }) => value) })}
        />
      ) : (
        <CommitInput
          id={`${id}-values`}
          width={32}
          invalid={problem !== undefined}
          value={row.values[0] ?? ''}
          onCommit={(value) => onChange({ ...row, values: value.trim() === '' ? [] : [value.trim()] })}
        />
      )}
      <IconButton name="times" tooltip={`${LABELS.removeCondition} ${number}`} onClick={onRemove} />
      {problem && (
        <span className={styles.problem} role="alert">
          {problem}
        </span>
      )}
    </div>
  );
}

/** What each operator is called here; lists need no operator of their own, because several values can be chosen. */
const OPERATOR_LABELS: Readonly<Record<string, string>> = {
  '=': 'is',
  '!=': 'is not',
  '<': '<',
  '<=': '≤',
  '>': '>',
  '>=': '≥',
  like: 'like',
  'not like': 'not like',
  ilike: 'ilike',
  'not ilike': 'not ilike',
  '~': 'regex',
  '!~': 'not regex',
  has: 'has',
  'not has': 'has not',
  contains: 'in order',
  'not contains': 'not in order',
};

function operatorChoices(name: string): ComboboxOption[] {
  const kind = FIELDS.find(name)?.kind;
  const operators = kind ? operatorsOf(kind) : ['='];
  return operators
    .filter((operator) => OPERATOR_LABELS[operator] !== undefined)
    .map((value) => ({ value, label: OPERATOR_LABELS[value] as string }));
}

/** What the parser says of one row. */
function problemOf(row: FilterRow): string | undefined {
  if (!isComplete(row)) return undefined;
  const { error } = parseFilter(sampleFilter(filterOf([row])).text);
  if (!error || error.code === 'filter_unknown_set') return undefined;
  return error.hint ? `${error.message}. ${error.hint}` : error.message;
}

const getStyles = (theme: GrafanaTheme2) => ({
  rows: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(0.5) }),
  row: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.5) }),
  add: css({ marginTop: theme.spacing(0.25), width: 'fit-content' }),
  problem: css({ ...theme.typography.bodySmall, color: theme.colors.error.text }),
});
