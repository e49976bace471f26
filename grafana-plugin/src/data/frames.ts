import { RECORD_SEVERITIES } from '@ringflow/contract';
import { dataFrameFromJSON, FieldType, type DataFrame, type DataFrameJSON } from '@grafana/data';

/** Rows within rows arrive as JSON inside the values and become frames here (Grafana decodes the outer frame only). */
export function reviveNested(frame: DataFrame): DataFrame {
  if (!frame.fields.some(({ type }) => type === FieldType.nestedFrames)) return frame;
  return {
    ...frame,
    fields: frame.fields.map((field) =>
      field.type === FieldType.nestedFrames
        ? {
            ...field,
            values: field.values.map((frames: DataFrameJSON[] | null) => (frames ?? []).map(dataFrameFromJSON)),
          }
        : field,
    ),
  };
}

/** Explore draws a volume of log lines by the label `level` of its series. */
export function withLevel(frame: DataFrame): DataFrame {
  const level = RECORD_SEVERITIES.find(
    (name) => frame.refId?.startsWith('log-volume-') && frame.refId.endsWith(`-${name}`),
  );
  if (!level) return frame;
  return {
    ...frame,
    fields: frame.fields.map((field) =>
      field.type === FieldType.number ? { ...field, labels: { ...field.labels, level } } : field,
    ),
  };
}

const GROUPS: ReadonlyArray<readonly [shape: RegExp, group: string]> = [
  [/^(src|client|in|ingress)_/, 'Source'],
  [/^(dst|server|out|egress)_/, 'Destination'],
  [/^(sampler_address|exporter|observation|sampling|sequence|type$)/, 'Exporter'],
  [/^(bytes|packets|flows|frame_bytes|time_|duration)/, 'Counters and times'],
];

/** Heading under which a label of a log line stands in its details. */
export function labelGroup(label: string): string {
  return GROUPS.find(([shape]) => shape.test(label))?.[1] ?? 'Flow';
}
