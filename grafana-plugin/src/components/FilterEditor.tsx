import React, { useState } from 'react';
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { RadioButtonGroup, useStyles2 } from '@grafana/ui';
import type { Collector } from '../data/collector';
import { rowsOf } from '../data/filter-rows';
import { HINTS, LABELS } from '../labels';
import type { Catalog } from './fields';
import { FilterBuilder } from './FilterBuilder';
import { FilterText } from './FilterText';

export interface FilterProps {
  /** Begins the ids of the controls. */
  id: string;
  filter: string;
  /** What the filter is called; default: Filter. */
  label?: string;
  onChange: (filter: string) => void;
  catalog: Catalog;
  collector: Collector;
  /** Window whose values are offered, milliseconds since the epoch. */
  fromMs?: number;
  toMs?: number;
}

type Mode = 'builder' | 'text';

/** One filter, shown as rows or as the text that it is. What rows cannot show is shown as text. */
export function FilterEditor(props: FilterProps) {
  const styles = useStyles2(getStyles);
  const [wanted, setWanted] = useState<Mode>('builder');
  const fits = rowsOf(props.filter) !== null;
  const mode = fits ? wanted : 'text';
  return (
    <div role="group" aria-labelledby={`${props.id}-filter-label`}>
      <div className={styles.head}>
        <span id={`${props.id}-filter-label`} className={styles.label}>
          {props.label ?? LABELS.filter}
        </span>
        <RadioButtonGroup<Mode>
          id={`${props.id}-filter-mode`}
          size="sm"
          aria-label="Edit the filter as"
          options={[
            { value: 'builder', label: LABELS.builder, ...(fits ? {} : { description: HINTS.onlyText }) },
            { value: 'text', label: LABELS.text },
          ]}
          disabledOptions={fits ? [] : ['builder']}
          value={mode}
          onChange={setWanted}
        />
      </div>
      {mode === 'builder' ? <FilterBuilder {...props} /> : <FilterText {...props} />}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  head: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(1), marginBottom: theme.spacing(0.5) }),
  label: css({
    ...theme.typography.bodySmall,
    color: theme.colors.text.secondary,
    fontWeight: theme.typography.fontWeightMedium,
  }),
});
