import React, { useState } from 'react';
import { Combobox, type ComboboxOption } from '@grafana/ui';

interface Props<T extends string> {
  id: string;
  width: number;
  options: ReadonlyArray<ComboboxOption<T>>;
  /** With its label where the options may lack it. */
  value: T | ComboboxOption<T> | null;
  onChange: (value: T) => void;
  /** What is chosen can be taken back. */
  onClear?: () => void;
  placeholder?: string;
  createCustomValue?: boolean;
  autoFocus?: boolean;
  disabled?: boolean;
}

/**
 * Grafana's Combobox, for one of a list. It takes the chosen option, made anew, for another choice, and writes its label
 * over what is being typed: here an option stays the same object for as long as it says the same.
 */
export function Choice<T extends string>({ options, value, onChange, onClear, ...rest }: Props<T>) {
  const props = { ...rest, options: useUnchanged([...options]), value: useUnchanged(value) };
  return onClear ? (
    <Combobox {...props} isClearable onChange={(option) => (option ? onChange(option.value) : onClear())} />
  ) : (
    <Combobox {...props} onChange={(option) => onChange(option.value)} />
  );
}

/** The object that was there before where this one is equal to it. */
function useUnchanged<V>(value: V): V {
  const [kept, setKept] = useState(value);
  if (JSON.stringify(kept) === JSON.stringify(value)) return kept;
  setKept(value);
  return value;
}
