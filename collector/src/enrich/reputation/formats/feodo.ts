import { parsePrefix } from '@ringflow/contract';
import { parseListTime } from './lines.ts';
import { readTable } from './csv-table.ts';
import { NO_HEADER, type ParseList } from './list-row.ts';

const OLD_MS = 30 * 86_400_000;
const SEEN_LATELY = 90;
const SEEN_LONG_AGO = 25;

/**
 * Command-and-control servers of abuse.ch Feodo Tracker (https://feodotracker.abuse.ch/blocklist/): CSV with a banner
 * of `#` lines, matched on address and port. One that was not online for 30 days is of low confidence.
 */
export const parseFeodo: ParseList = (text, sink, { nowMs }) => {
  // The banner holds the line with the headings in some of its versions.
  const table = text.replace(/^#[ \t]*"?(?=first_seen_utc)/m, (found) => (found.includes('"') ? '"' : ''));
  readTable(table, ['dst_ip', 'dst_port'], sink, (row, line) => {
    const match = parsePrefix(row['dst_ip'] ?? '');
    const port = Number(row['dst_port']);
    if (!match || !Number.isInteger(port) || port < 1 || port > 65_535)
      return sink.broken(line, `"${row['dst_ip']}" and "${row['dst_port']}" are not an address and a port`);
    const online = parseListTime(row['last_online'] ?? '') || parseListTime(row['first_seen_utc'] ?? '');
    const malware = row['malware'] ?? '';
    sink.take({
      match,
      port,
      labels: [malware === '' ? 'bot' : `bot:${malware}`],
      category: 'bot',
      confidence: nowMs - online < OLD_MS ? SEEN_LATELY : SEEN_LONG_AGO,
    });
  });
  const count = /^#\s*END (\d+) entries/m.exec(text)?.[1];
  const date = /^#\s*Last updated: (\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}) UTC/m.exec(text)?.[1] ?? '';
  return { ...NO_HEADER, dateMs: parseListTime(date), declared: count === undefined ? -1 : Number(count) };
};
