import React from 'react';
import { css } from '@emotion/css';
import { describeQuery } from '@ringflow/contract';
import type { GrafanaTheme2, QueryEditorHelpProps } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { EXAMPLES, FILTER_EXAMPLES } from '../data/examples';
import type { PanelQuery } from '../types';

/** Questions to click, and the filter language on half a page. */
export function CheatSheet({ onClickExample }: QueryEditorHelpProps<PanelQuery>) {
  const styles = useStyles2(getStyles);
  return (
    <div>
      <h2 className={styles.heading}>Questions</h2>
      <ul className={styles.list}>
        {EXAMPLES.map(({ title, query }) => (
          <li key={title}>
            <button type="button" className={styles.example} onClick={() => onClickExample({ refId: 'A', ...query })}>
              <span className={styles.title}>{title}</span>
              <span className={styles.sentence}>{describeQuery(query)}</span>
            </button>
          </li>
        ))}
      </ul>
      <h2 className={styles.heading}>Filters</h2>
      <ul className={styles.list}>
        {FILTER_EXAMPLES.map(({ filter, meaning }) => (
          <li key={filter}>
            <button
              type="button"
              className={styles.example}
              onClick={() => onClickExample({ refId: 'A', kind: 'table', groupBy: ['src_addr', 'dst_addr'], filter })}
            >
              <code>{filter}</code>
              <span className={styles.sentence}>{meaning}</span>
            </button>
          </li>
        ))}
      </ul>
      <p className={styles.sentence}>
        Conditions are joined by and, or, not and parentheses. A variable stands for its values:{' '}
        <code>src_addr in ($host)</code>; set to All, its condition goes away.
      </p>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  heading: css({ ...theme.typography.h5, margin: theme.spacing(1, 0) }),
  list: css({
    display: 'grid',
    gridTemplateColumns: 'repeat(auto-fill, minmax(300px, 1fr))',
    gap: theme.spacing(0.5, 2),
    listStyle: 'none',
    margin: theme.spacing(0, 0, 2),
  }),
  example: css({
    display: 'flex',
    flexDirection: 'column',
    alignItems: 'flex-start',
    gap: theme.spacing(0.5),
    width: '100%',
    padding: theme.spacing(0.75, 1),
    border: 'none',
    borderRadius: theme.shape.radius.default,
    background: 'none',
    textAlign: 'left',
    '&:hover, &:focus-visible': { background: theme.colors.action.hover },
  }),
  title: css({ fontWeight: theme.typography.fontWeightMedium }),
  sentence: css({ ...theme.typography.bodySmall, color: theme.colors.text.secondary, margin: 0 }),
});
