import { parseAsn, parsePrefix } from '@ringflow/contract';
import { forEachLine, parseListTime } from './lines.ts';
import { NO_HEADER, type ListHeader, type ParseList } from './list-row.ts';

interface DropLine {
  readonly cidr?: string;
  readonly asn?: number;
  readonly type?: string;
  readonly timestamp?: number;
  readonly records?: number;
}

const LABELS = ['hijacked'];

/**
 * Spamhaus DROP: a JSON object with `cidr` or, in ASN-DROP, with `asn` per line, the last one of type `metadata`
 * (https://www.spamhaus.org/blocklists/do-not-route-or-peer/). Without the last one the file ends early.
 *
 * @throws Error when lines are missing at the end
 */
export const parseDropJson: ParseList = (text, sink) => {
  let header: ListHeader | null = null;
  forEachLine(text, (line, number) => {
    const row = readJson(line);
    const match = row?.cidr !== undefined ? parsePrefix(row.cidr) : row?.asn !== undefined ? asnOf(row.asn) : null;
    if (row?.type === 'metadata') header = { dateMs: (row.timestamp ?? 0) * 1000, declared: row.records ?? -1 };
    else if (match !== null) sink.take({ match, labels: LABELS, category: 'hijacked' });
    else sink.broken(number, 'It is no JSON object with a cidr or an asn');
  });
  if (header === null) throw new Error('It ends early: its last line is not the one with "type":"metadata"');
  return header;
};

/** The older form: `192.0.2.0/24 ; SBL1234`, or `AS64500 ; name`, with comments that begin with `;`. */
export const parseDropText: ParseList = (text, sink) => {
  let dateMs = 0;
  forEachLine(text, (line, number) => {
    if (line.startsWith(';')) {
      const date = /^;\s*(?:Last-Modified|Spamhaus [\w -]+ List)[:\s]+(.+)$/i.exec(line)?.[1] ?? '';
      // The second one has the time of day, too.
      dateMs = Math.max(dateMs, parseListTime(date.replace(/\s+-\s+\(c\).*$/, '')));
      return;
    }
    const word = (line.split(';')[0] as string).trim();
    const match = /^AS\d+$/i.test(word) ? parseAsn(word) : parsePrefix(word);
    if (match !== null) sink.take({ match, labels: LABELS, category: 'hijacked' });
    else sink.broken(number, `"${word.slice(0, 60)}" is not a network or an AS number`);
  });
  return { ...NO_HEADER, dateMs };
};

function readJson(line: string): DropLine | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' ? (value as DropLine | null) : null;
  } catch {
    return null;
  }
}

function asnOf(value: number): number | null {
  return Number.isInteger(value) && value > 0 && value < 2 ** 32 ? value : null;
}
