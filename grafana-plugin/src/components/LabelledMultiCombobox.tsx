import React, { useLayoutEffect, useRef } from 'react';
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { MultiCombobox, useStyles2, type ComboboxOption } from '@grafana/ui';

interface Props {
  id: string;
  /** What the control is called where its label does not reach it. */
  label: string;
  options: ComboboxOption[] | ((search: string) => Promise<ComboboxOption[]>);
  value: ComboboxOption[];
  onChange: (chosen: ComboboxOption[]) => void;
  /** In units of the theme; it takes the room that there is between the two. */
  minWidth: number;
  maxWidth: number;
  placeholder?: string;
  createCustomValue?: boolean;
  isClearable?: boolean;
  disabled?: boolean;
  invalid?: boolean;
}

/** Grafana's MultiCombobox; before Grafana 13 it does not take its id, so no label names it. */
export function LabelledMultiCombobox({ label, minWidth, maxWidth, ...rest }: Props) {
  const styles = useStyles2(getStyles, minWidth, maxWidth);
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const input = box.current?.querySelector('input');
    if (input && input.id !== rest.id) input.setAttribute('aria-label', label);
  });
  return (
    <div ref={box} className={styles.box}>
      <MultiCombobox {...rest} />
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2, minWidth: number, maxWidth: number) => ({
  box: css({ flex: '1 1 auto', minWidth: theme.spacing(minWidth), maxWidth: theme.spacing(maxWidth) }),
});
