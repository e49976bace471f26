import React, { useState, type ComponentProps, type KeyboardEvent } from 'react';
import { Input } from '@grafana/ui';

interface CommitInputProps extends Omit<ComponentProps<typeof Input>, 'value' | 'onChange' | 'onBlur' | 'onKeyDown'> {
  value: string;
  /** Called with Enter or when the field is left, and only when the text differs. */
  onCommit: (value: string) => void;
}

/** A text that takes effect when it is finished, not with each letter. Escape brings the old one back. */
export function CommitInput({ value, onCommit, ...rest }: CommitInputProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const commit = () => {
    if (draft !== null && draft !== value) onCommit(draft);
    setDraft(null);
  };
  const onKeyDown = ({ key }: KeyboardEvent) => {
    if (key === 'Enter') commit();
    if (key === 'Escape') setDraft(null);
  };
  return (
    <Input
      {...rest}
      value={draft ?? value}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={onKeyDown}
    />
  );
}

interface NumberInputProps extends Omit<CommitInputProps, 'value' | 'onCommit'> {
  /** A text where a variable stands in the number's place. */
  value: number | string;
  least: number;
  most: number;
  onCommit: (value: number) => void;
}

/** A whole number between two bounds, or a variable; anything else leaves what was there. */
export function NumberInput({ value, least, most, onCommit, ...rest }: NumberInputProps) {
  const commit = (text: string) => {
    const trimmed = text.trim();
    // Dashboards keep a variable in the number's place; it becomes one when it is filled in.
    if (/^\$/.test(trimmed)) onCommit(trimmed as unknown as number);
    else if (/^\d+$/.test(trimmed)) onCommit(Math.min(most, Math.max(least, Number(trimmed))));
  };
  return <CommitInput {...rest} inputMode="numeric" value={String(value)} onCommit={commit} />;
}
