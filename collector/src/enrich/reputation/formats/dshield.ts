import { parseAddress, parsePrefix } from '@ringflow/contract';
import { forEachLine, parseListTime } from './lines.ts';
import { NO_HEADER, type ParseList } from './list-row.ts';

const LABELS = ['scanner'];

/**
 * DShield's block list (https://www.dshield.org/block.txt): columns between tabs, of which the first three are first
 * address, last address and length of the network; `#` begins a comment.
 */
export const parseDshield: ParseList = (text, sink) => {
  let dateMs = 0;
  forEachLine(text, (line, number) => {
    if (line.startsWith('#')) {
      dateMs ||= parseListTime(/updated:\s*(.+)$/i.exec(line)?.[1] ?? '');
      return;
    }
    const [start = '', end = '', bits = ''] = line.split('\t').map((field) => field.trim());
    if (/^start$/i.test(start)) return;
    const match = parsePrefix(`${start}/${bits}`);
    if (match && parseAddress(end)) sink.take({ match, labels: LABELS, category: 'scanner' });
    else sink.broken(number, `"${line.slice(0, 60)}" does not begin with two addresses and a length between tabs`);
  });
  return { ...NO_HEADER, dateMs };
};
