import { createFieldTable, type FieldKind, type FieldTable } from './fields.ts';
import { hasVariable, readConditions, type Part, type StructureCondition } from './structure.ts';

/** A value of each kind that the parser takes. */
const SAMPLES: Readonly<Record<FieldKind, string>> = {
  number: '1',
  port: '1',
  asn: '1',
  proto: '6',
  etype: '1',
  flowType: 'IPFIX',
  direction: 'ingress',
  tcpFlags: 'syn',
  quality: 'reverse',
  service: 'https',
  interface: '1',
  exporter: '192.0.2.1',
  addr: '192.0.2.1',
  mac: '00:53:00:aa:bb:cc',
  text: '"a"',
  hex: '"00"',
  time: '"2026-01-01"',
  duration: '1s',
  list: '1',
  word: '""',
  country: 'DE',
  named: '"a"',
  attribute: '"a"',
};

/** True of every record: stands for a piece of filter that nobody knows yet. */
const ANY_CONDITION = 'bytes >= 0';

/** A filter whose variables were replaced, and the way back to the places of the text as it was written. */
export interface SampledFilter {
  readonly text: string;
  /** Character of the original that a character of `text` came from; inside a sample, the start of its variable. */
  originalOffset(offset: number): number;
}

/** Puts a fitting value in place of each variable, so that the rest of the filter can be checked and completed. */
export function sampleFilter(text: string, fields: FieldTable = createFieldTable()): SampledFilter {
  const replaced = hasVariable(text) ? readConditions(text).flatMap((condition) => samplesOf(condition, fields)) : [];
  let sampled = '';
  let from = 0;
  const starts: { sampled: number; original: number; inside: boolean }[] = [{ sampled: 0, original: 0, inside: false }];
  for (const { span, sample } of replaced) {
    sampled += text.slice(from, span.offset);
    starts.push({ sampled: sampled.length, original: span.offset, inside: true });
    sampled += sample;
    from = span.offset + span.length;
    starts.push({ sampled: sampled.length, original: from, inside: false });
  }
  return {
    text: sampled + text.slice(from),
    originalOffset: (offset) => {
      const start = starts.filter((candidate) => candidate.sampled <= offset).at(-1);
      return start ? start.original + (start.inside ? 0 : offset - start.sampled) : offset;
    },
  };
}

function samplesOf(
  { field, operator, values, span }: StructureCondition,
  fields: FieldTable,
): { span: Part['span']; sample: string }[] {
  if (hasVariable(field.raw)) return [{ span, sample: ANY_CONDITION }];
  const known = fields.find(field.text);
  const word = known?.words?.find((candidate) => candidate !== '');
  const isPattern = /like|~/.test(operator);
  return values
    .filter((part) => hasVariable(part.raw))
    .map((part) => ({ span: part.span, sample: isPattern || !known ? '"a"' : (word ?? SAMPLES[known.kind]) }));
}
