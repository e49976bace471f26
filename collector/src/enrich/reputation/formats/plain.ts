import { parsePrefix } from '@ringflow/contract';
import { forEachLine, parseListTime } from './lines.ts';
import { NO_HEADER, type ListHeader, type ParseList } from './list-row.ts';

/**
 * One address or network per line; `#` and `;` begin a comment. Also the `.ipset` and `.netset` files of FireHOL, whose
 * comments say category, date and number of entries, and lists with a second column behind white space.
 */
export const parsePlain: ParseList = (text, sink) => {
  const { category, ...header } = readFirehol(text);
  forEachLine(text, (line, number) => {
    if (line.startsWith('#') || line.startsWith(';')) return;
    const word = (/^[^\s#;,]+/.exec(line) ?? [''])[0];
    const match = parsePrefix(word);
    if (match) sink.take(category === '' ? { match } : { match, category });
    else sink.broken(number, `"${word.slice(0, 60)}" is not an address or a network`);
  });
  return header;
};

/** The comments of a FireHOL file: `# This File Date : …`, `# Category : …`, `# Entries : 3 subnets, 768 unique IPs`. */
function readFirehol(text: string): ListHeader & { readonly category: string } {
  const head = text.slice(0, 8192);
  const kind = /^#.*hash:(ip|net) ipset/m.exec(head)?.[1];
  if (kind === undefined) return { ...NO_HEADER, category: '' };
  const said = (key: string): string => new RegExp(`^#\\s*${key}\\s*:\\s*(.+?)\\s*$`, 'm').exec(head)?.[1] ?? '';
  // Of networks the first number, of addresses the only one, is how many lines there are.
  const count = /^([\d,]+) (subnets|unique IPs)/.exec(said('Entries'));
  return {
    dateMs: parseListTime(said('This File Date')),
    declared: count ? Number((count[1] as string).replaceAll(',', '')) : -1,
    category: said('Category'),
  };
}
