import type { RunResult } from '../runner.ts';
import type { FilledField } from '../frames.ts';
import { columnOf } from '../frames.ts';
import { hasNames, nameOf, type NameLookup } from '../resolve.ts';
import { columnConfig, valueText, type AnswerColumn } from '../values.ts';

/** Text of what is not shown, in the first column of its row and as the name of its series. */
export const OTHER = 'other';

/** Text and, where it is known, name of each dimension of one row. */
export interface GroupLabel {
  readonly texts: readonly string[];
  readonly names: readonly (string | undefined)[];
  /** As the engine returned them: ids are numbers. */
  readonly values: readonly unknown[];
  /** Bits per second of the interface that the row is about; undefined when it is about none or nobody knows. */
  readonly speedBps?: number | undefined;
}

/** Reads the dimensions of a row; they stand in the result from column `at` on. */
export function groupLabel(
  result: RunResult,
  row: number,
  at: number,
  columns: readonly AnswerColumn[],
  names: NameLookup,
): GroupLabel {
  const values = columns.map((_, index) => columnOf(result, at + index)[row]);
  const texts = columns.map((column, index) => valueText(column, values[index]));
  const exporterAt = columns.findIndex((column) => column.name === 'sampler_address');
  const exporter = exporterAt >= 0 ? texts[exporterAt] : undefined;
  const interfaceAt = columns.findIndex(({ name }) => name === 'in_if' || name === 'out_if');
  return {
    texts,
    values,
    speedBps:
      exporter === undefined || interfaceAt < 0
        ? undefined
        : names.interface(exporter, Number(values[interfaceAt]))?.speedBps,
    names: columns.map((column, index) =>
      nameOf(names, column, column.name === 'sampler_address' ? texts[index] : values[index], exporter),
    ),
  };
}

/** What a legend shows: names where they are known, texts elsewhere; an empty value is called unknown. */
export function displayName(label: GroupLabel): string {
  return label.texts.map((text, index) => label.names[index] ?? (text === '' ? 'unknown' : text)).join(' · ');
}

/** A text field per dimension, each followed by its names when any is known. */
export function labelFields(labels: readonly GroupLabel[], columns: readonly AnswerColumn[]): FilledField[] {
  return columns.flatMap((column, index) => {
    const text: FilledField = {
      name: column.name,
      type: 'string',
      config: columnConfig(column),
      values: labels.map((label) => label.texts[index] ?? ''),
    };
    // Where the names are asked for by themselves, they are there once.
    if (columns.some(({ name }) => name === `${column.name}_name`)) return [text];
    if (!hasNames(column) || !labels.some((label) => label.names[index] !== undefined)) return [text];
    const config = {
      displayNameFromDS: `${column.label} name`,
      description: `Name of: ${column.description}`,
      filterable: false,
    };
    return [
      text,
      {
        name: `${column.name}_name`,
        type: 'string' as const,
        config,
        values: labels.map((label) => label.names[index] ?? ''),
      },
    ];
  });
}

/** The label of the row or series that holds what is not shown. */
export function otherLabel(columns: readonly AnswerColumn[]): GroupLabel {
  return {
    texts: columns.map((_, index) => (index === 0 ? OTHER : '')),
    names: columns.map(() => undefined),
    values: [],
  };
}
