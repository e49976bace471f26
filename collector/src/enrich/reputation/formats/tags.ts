import { parsePrefix } from '@ringflow/contract';
import { forEachLine } from './lines.ts';
import { NO_HEADER, type ParseList } from './list-row.ts';

/** `"192.0.2.1": "spam,bot"` of YAML, or `192.0.2.1,"spam,bot"` of CSV; either may go without quotes. */
const LINE = /^(["']?)([0-9A-Fa-f.:/]+?)\1\s*(?::\s|,|;)\s*(["']?)(.*?)\3\s*$/;

/** The dictionaries of ElastiFlow: an address and its tags per line, YAML or CSV; `#` begins a comment. */
export const parseTags: ParseList = (text, sink) => {
  forEachLine(text, (line, number) => {
    if (line.startsWith('#') || line === '---') return;
    const [, , address = '', , tags = ''] = LINE.exec(line) ?? [];
    const match = parsePrefix(address);
    const labels = tags
      .split(/[,;|]/)
      .map((tag) => tag.trim())
      .filter((tag) => tag !== '');
    if (!match) sink.broken(number, `"${line.slice(0, 60)}" is not an address with tags`);
    else if (labels.length === 0) sink.skip();
    else sink.take({ match, labels });
  });
  return NO_HEADER;
};
