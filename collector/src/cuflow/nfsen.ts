import type { Migration } from './convert.ts';
import { seriesName } from './filters.ts';
import { convertNfdumpFilter, NfdumpFilterError } from './nfdump-filter.ts';
import type { Remark } from './parse.ts';

/** A channel of a profile of NfSen: some of its sources, and a filter over them. */
export interface Channel {
  readonly group: string;
  readonly profile: string;
  readonly channel: string;
  readonly sources: readonly string[];
  readonly line: number;
}

/** Types of nfprofile: 0 with data, 1 shadow; bits above tell of history and state. */
const ENTRY = /^([^#]*)#([^#]+)#(\d+)#([^#]+)#([^#]*)$/;

/** Reads the profile list that NfSen gives to nfprofile: `group#profile#type#channel#source1|source2`. */
export function parseProfiles(text: string): { channels: Channel[]; errors: Remark[] } {
  const channels: Channel[] = [];
  const errors: Remark[] = [];
  text.split(/\r?\n/).forEach((raw, index) => {
    const line = index + 1;
    if (raw.trim() === '') return;
    const [, group = '', profile = '', , channel = '', sources = ''] = ENTRY.exec(raw.trim()) ?? [];
    if (profile === '') errors.push({ line, message: 'Not group#profile#type#channel#source1|source2' });
    else channels.push({ group, profile, channel, sources: sources.split('|').filter((name) => name !== ''), line });
  });
  return { channels, errors };
}

/**
 * Channels as watches: named filters that are counted on `/metrics`. A source is an exporter by name.
 *
 * @param filterOf text of a channel's filter file, or null when there is none
 */
export function convertChannels(
  channels: readonly Channel[],
  filterOf: (channel: Channel) => string | null,
): Migration {
  const watches: Record<string, string> = {};
  const warnings: Remark[] = [];
  const sources = new Set<string>();
  for (const channel of channels) {
    const { group, profile, line } = channel;
    const parts = [group === '.' ? '' : group, profile, channel.channel].filter((part) => part !== '');
    const name = seriesName(parts.join('.'));
    const warn = (message: string): void => void warnings.push({ line, message });
    if (Object.hasOwn(watches, name)) {
      warn(`${name} was there before and is left out: rename the channel`);
      continue;
    }
    const text = filterOf(channel);
    if (text === null) warn(`No filter file of ${parts.join('/')}: everything of its sources is counted`);
    try {
      const filter = convertNfdumpFilter(text ?? '');
      for (const source of channel.sources) sources.add(source);
      const list = channel.sources.map((source) => JSON.stringify(source)).join(', ');
      const bySource = channel.sources.length === 0 ? '' : `exporter in (${list})`;
      const both = [bySource, filter === '' || filter === 'bytes >= 0' ? '' : `(${filter})`].filter(
        (part) => part !== '',
      );
      if (both.length === 0) warn(`${name} counts everything and is left out: ringflow_ingested_bytes has it`);
      else watches[name] = both.join(' and ');
    } catch (error) {
      if (!(error instanceof NfdumpFilterError)) throw error;
      warn(
        `The filter of ${name} has no counterpart for ${error.message}: write it yourself in metrics.watches.${name}`,
      );
    }
  }
  if (sources.size > 0)
    warnings.push({
      line: 1,
      message: `Sources are exporters by name: give ${[...sources].join(', ')} to their addresses in names.exporters`,
    });
  return { config: Object.keys(watches).length > 0 ? { metrics: { watches } } : {}, warnings };
}
