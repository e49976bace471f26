import { parsePrefix } from '@ringflow/contract';
import { parseDropJson, parseDropText } from './drop.ts';
import { parseDshield } from './dshield.ts';
import { parseFeodo } from './feodo.ts';
import { parseIprep } from './iprep.ts';
import type { ParseList } from './list-row.ts';
import { parseMisp } from './misp.ts';
import { parseOwnCsv } from './own-csv.ts';
import { parsePlain } from './plain.ts';
import { parseStix } from './stix.ts';
import { parseTags } from './tags.ts';

export { NO_HEADER } from './list-row.ts';
export type { ListContext, ListHeader, ListRow, ListSink, ParseList } from './list-row.ts';
export { forEachLine } from './lines.ts';

/** Every format of a reputation list: how it is read, and how far it is trusted where it does not say (0 to 100). */
export const FORMATS = {
  plain: { parse: parsePlain, confidence: 50 },
  drop: { parse: parseDropJson, confidence: 90 },
  'drop-text': { parse: parseDropText, confidence: 90 },
  feodo: { parse: parseFeodo, confidence: 90 },
  iprep: { parse: parseIprep, confidence: 50 },
  dshield: { parse: parseDshield, confidence: 60 },
  stix: { parse: parseStix, confidence: 50 },
  misp: { parse: parseMisp, confidence: 60 },
  tags: { parse: parseTags, confidence: 50 },
  csv: { parse: parseOwnCsv, confidence: 100 },
} as const satisfies Readonly<Record<string, { readonly parse: ParseList; readonly confidence: number }>>;

export type ListFormat = keyof typeof FORMATS;

/** Names of {@link FORMATS}. */
export const LIST_FORMATS = Object.keys(FORMATS) as readonly ListFormat[];

/** Which format a text is in, from its first lines that are no comments. */
export function detectFormat(text: string): ListFormat {
  const head = text
    .slice(0, 65_536)
    .replace(/^\ufeff/, '')
    .trimStart();
  if (head.startsWith('{') || head.startsWith('[')) return detectJson(head);
  if (/^#?\s*"?first_seen_utc"?,"?dst_ip"?/m.test(head)) return 'feodo';
  const line =
    head
      .split('\n')
      .find((text) => text.trim() !== '' && !/^\s*(#|;|---)/.test(text))
      ?.trim() ?? '';
  if (/^"?prefix"?,/i.test(line) || /^[^,]+(,[^,]*)*,prefix/i.test(line)) return 'csv';
  if (/^[^\s;]+\s*;/.test(line)) return 'drop-text';
  if (/^(\S+)\t\S+\t\d/.test(line) || /^start\tend/i.test(line)) return 'dshield';
  if (/^[^,\s]+,\s*\d+,\s*\d+$/.test(line)) return 'iprep';
  // An IPv6 address without quotes has colons of its own, but no white space behind them.
  const tagged = /^["']?([0-9A-Fa-f.:/]+?)["']?\s*(?::\s|,)/.exec(line)?.[1];
  return tagged !== undefined && parsePrefix(tagged) ? 'tags' : 'plain';
}

function detectJson(head: string): ListFormat {
  if (/^\{\s*"(cidr|asn)"/.test(head) || /^\{[^\n]*"(cidr|asn)"\s*:[^\n]*\}\s*(\n|$)/.test(head)) return 'drop';
  return /"(type|spec_version)"\s*:\s*"(bundle|2\.1|indicator)"/.test(head) ? 'stix' : 'misp';
}
