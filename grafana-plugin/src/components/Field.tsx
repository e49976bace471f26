import React, { type ReactNode } from 'react';
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Icon, Tooltip, useStyles2 } from '@grafana/ui';

interface FieldProps {
  label: string;
  /** Id of the control that the label names. */
  htmlFor: string;
  hint?: string;
  /** Takes the width that is left. */
  grow?: boolean;
  children: ReactNode;
}

/** A control with its label above it. */
export function Field({ label, htmlFor, hint, grow, children }: FieldProps) {
  const styles = useStyles2(getStyles);
  return (
    <div className={grow ? styles.growing : styles.field}>
      <span className={styles.head}>
        <label className={styles.label} htmlFor={htmlFor}>
          {label}
        </label>
        {hint && (
          <Tooltip content={hint} placement="top">
            <Icon name="info-circle" size="sm" aria-hidden className={styles.hint} />
          </Tooltip>
        )}
      </span>
      {children}
    </div>
  );
}

/** Fields beside each other; they wrap where the panel is narrow. */
export function Row({ children }: { children: ReactNode }) {
  const styles = useStyles2(getStyles);
  return <div className={styles.row}>{children}</div>;
}

const getStyles = (theme: GrafanaTheme2) => {
  const field = css({
    display: 'flex',
    flexDirection: 'column',
    gap: theme.spacing(0.5),
    flex: '0 0 auto',
    maxWidth: '100%',
  });
  return {
    field,
    growing: css({
      display: 'flex',
      flexDirection: 'column',
      gap: theme.spacing(0.5),
      flex: `1 1 ${theme.spacing(40)}`,
      minWidth: 0,
      maxWidth: '100%',
    }),
    head: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(0.5) }),
    label: css({
      ...theme.typography.bodySmall,
      color: theme.colors.text.secondary,
      fontWeight: theme.typography.fontWeightMedium,
      margin: 0,
    }),
    hint: css({ color: theme.colors.text.secondary }),
    row: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'flex-end', gap: theme.spacing(1, 2) }),
  };
};
