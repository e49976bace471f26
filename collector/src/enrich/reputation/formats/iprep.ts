import { parsePrefix } from '@ringflow/contract';
import { forEachLine } from './lines.ts';
import { NO_HEADER, type ParseList } from './list-row.ts';

/** Highest category and score of Suricata's IP reputation. */
const MAX_CATEGORY = 60;
const MAX_SCORE = 127;

/**
 * Suricata's IP reputation (https://docs.suricata.io/en/latest/reputation/ipreputation/ip-reputation-format.html), as
 * Emerging Threats give it out: lines of `address or network,category,score from 1 to 127`; a second file names the
 * categories: `id,short name,description`.
 *
 * @throws Error when the file of categories is missing
 */
export const parseIprep: ParseList = (text, sink, { categories }) => {
  const names = new Map<number, readonly string[]>();
  forEachLine(categories, (line) => {
    const [id = '', name = ''] = line.split(',');
    if (/^\d+$/.test(id.trim()) && Number(id) <= MAX_CATEGORY && name !== '') names.set(Number(id), [name.trim()]);
  });
  if (names.size === 0) throw new Error('It needs the file that names its categories: set categories_file');
  forEachLine(text, (line, number) => {
    if (line.startsWith('#')) return;
    const [what = '', id = '', score = ''] = line.split(',');
    const match = parsePrefix(what.trim());
    const labels = names.get(Number(id));
    const value = Number(score);
    if (!match) sink.broken(number, `"${what.slice(0, 60)}" is not an address or a network`);
    else if (!labels) sink.broken(number, `Category "${id}" is not in categories_file`);
    else if (!Number.isInteger(value) || value < 0 || value > MAX_SCORE)
      sink.broken(number, `"${score}" is not a score from 1 to ${MAX_SCORE}`);
    // The way to take an entry back.
    else if (value === 0) sink.skip();
    else sink.take({ match, labels, category: labels[0] as string, confidence: Math.round((value / MAX_SCORE) * 100) });
  });
  return NO_HEADER;
};
