import { parseAsn, parsePrefix } from '@ringflow/contract';
import { readTable } from './csv-table.ts';
import { parseListTime } from './lines.ts';
import { NO_HEADER, type ParseList } from './list-row.ts';

/**
 * What a person keeps: CSV with the headings `prefix,label,confidence,expires,note`, of which `prefix` and `label` are
 * needed; `prefix` is an address, a network or an AS number (`AS64500`), `note` is for people. Comes before all other lists.
 */
export const parseOwnCsv: ParseList = (text, sink, { nowMs }) => {
  readTable(text, ['prefix', 'label'], sink, (row, line) => {
    const what = row['prefix'] ?? '';
    const match = /^AS\d+$/i.test(what) ? parseAsn(what) : parsePrefix(what);
    if (match === null) return sink.broken(line, `"${what.slice(0, 60)}" is not an address, a network or an AS number`);
    if ((row['label'] ?? '') === '') return sink.broken(line, 'It has no label');
    const confidence = row['confidence'] ? Number(row['confidence']) : 100;
    if (!(confidence >= 0 && confidence <= 100))
      return sink.broken(line, `"${row['confidence']}" is not a confidence from 0 to 100`);
    const untilMs = row['expires'] ? parseListTime(row['expires']) : 0;
    if (row['expires'] && untilMs === 0)
      return sink.broken(line, `"${row['expires']}" is not a time, write it like 2026-12-31 or 2026-12-31 18:00`);
    if (untilMs !== 0 && untilMs <= nowMs) return sink.skip();
    sink.take({ match, labels: [row['label'] as string], confidence, untilMs });
  });
  return NO_HEADER;
};
