import { packTexts, PART_SEPARATOR, sharedWords, textAt, type Texts } from '../geo/table.ts';
import { createPrefixTableBuilder, type PrefixTable } from '../tables/prefix-table.ts';
import type { ListRow } from './formats/index.ts';

/** One label of a list, as many entries have it. */
export interface ThreatTag {
  readonly label: string;
  readonly category: string;
  /** 0 to 100. */
  readonly confidence: number;
}

/** What was found in a list, by number of lines or objects. */
export interface ListCounts {
  /** In use. */
  readonly accepted: number;
  /** Understood, but nothing to match on, or no longer valid. */
  readonly skipped: number;
  /** Own, private or reserved networks, or too large ones. */
  readonly dropped: number;
  readonly broken: number;
}

/** A reputation list, compiled; passes between threads as it is. */
export interface ReputationTable extends ListCounts {
  readonly format: string;
  /** When the list was made, milliseconds since the epoch; 0 = it does not say. */
  readonly dateMs: number;
  /** The first line that cannot be read and why; empty when there is none. */
  readonly problem: string;
  /** Parts of {@link ThreatTag} by row. */
  readonly tags: Texts;
  readonly tagCount: number;
  /** Values are entries of {@link entries}. */
  readonly networks: PrefixTable;
  /** Ascending. */
  readonly asns: Uint32Array;
  /** In the order of {@link asns}: entries of {@link entries}. */
  readonly asEntries: Uint32Array;
  /** {@link ENTRY_WORDS} words each, side by side: a look-up waits for memory once. */
  readonly entries: Uint32Array;
  /** When an entry begins or ceases to hold, ascending, seconds since the epoch. */
  readonly turns: Uint32Array;
}

export interface ReputationTableBuilder {
  /** Adds a row whose labels, category and confidence have been settled. */
  add(row: ListRow, tags: readonly ThreatTag[]): void;
  build(about: ListCounts & Pick<ReputationTable, 'format' | 'dateMs' | 'problem'>): ReputationTable;
}

/** The words of an entry: row of its label, port (0 = all), from when and until when in seconds since the epoch (0 = always). */
export const ENTRY = { tag: 0, port: 1, from: 2, until: 3 } as const;
export const ENTRY_WORDS = 4;

/** Labels of one list; a list with more of them does not hold labels. */
const MAX_TAGS = 10_000;

/** @throws RangeError when there are too many labels */
export function createReputationTableBuilder(): ReputationTableBuilder {
  const rowOfTag = new Map<string, number>();
  const networks = createPrefixTableBuilder();
  const asns: { asn: number; entry: number }[] = [];
  const turns = new Set<number>();
  let size = 0;
  let entries = new Uint32Array(1024 * ENTRY_WORDS);

  function tagRow({ label, category, confidence }: ThreatTag): number {
    const text = `${label}${PART_SEPARATOR}${category}${PART_SEPARATOR}${confidence}`;
    const known = rowOfTag.get(text);
    if (known !== undefined) return known;
    if (rowOfTag.size === MAX_TAGS) throw new RangeError(`It has more than ${MAX_TAGS} labels`);
    rowOfTag.set(text, rowOfTag.size);
    return rowOfTag.size - 1;
  }

  return {
    add({ match, port = 0, fromMs = 0, untilMs = 0 }, labels) {
      for (const tag of labels) {
        if (size * ENTRY_WORDS === entries.length) entries = copyOf(entries, new Uint32Array(entries.length * 2));
        const at = size * ENTRY_WORDS;
        const from = Math.ceil(fromMs / 1000);
        const until = Math.ceil(untilMs / 1000);
        entries[at + ENTRY.tag] = tagRow(tag);
        entries[at + ENTRY.port] = port;
        entries[at + ENTRY.from] = from;
        entries[at + ENTRY.until] = until;
        if (from !== 0) turns.add(from);
        if (until !== 0) turns.add(until);
        if (typeof match === 'number') asns.push({ asn: match, entry: size });
        else networks.add(match, size);
        size++;
      }
    },
    build(about) {
      asns.sort((left, right) => left.asn - right.asn);
      return {
        ...about,
        tags: packTexts([...rowOfTag.keys()]),
        tagCount: rowOfTag.size,
        networks: networks.build(),
        asns: sharedWords(asns.map(({ asn }) => asn)),
        asEntries: sharedWords(asns.map(({ entry }) => entry)),
        entries: copyOf(
          entries.subarray(0, size * ENTRY_WORDS),
          new Uint32Array(new SharedArrayBuffer(size * ENTRY_WORDS * 4)),
        ),
        turns: sharedWords([...turns].sort((left, right) => left - right)),
      };
    },
  };
}

/** The label of a row of `tags`. */
export function tagAt({ tags }: ReputationTable, row: number): ThreatTag {
  const [label = '', category = '', confidence = ''] = textAt(tags, row);
  return { label, category, confidence: Number(confidence) };
}

/** Whether an entry holds at a time, in seconds since the epoch. */
export function isValidAt({ entries }: ReputationTable, entry: number, atSeconds: number): boolean {
  const at = entry * ENTRY_WORDS;
  const until = entries[at + ENTRY.until] as number;
  return (entries[at + ENTRY.from] as number) <= atSeconds && (until === 0 || atSeconds < until);
}

/** The first place of an AS number in `asns`, or where it would stand. */
export function firstAs({ asns }: ReputationTable, asn: number): number {
  return countUpTo(asns, asn - 1);
}

/** How many of the ascending values are not above a limit. */
export function countUpTo(values: Uint32Array, limit: number): number {
  let from = 0;
  let to = values.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((values[middle] as number) <= limit) from = middle + 1;
    else to = middle;
  }
  return from;
}

function copyOf<T extends Uint32Array>(from: Uint32Array, to: T): T {
  to.set(from);
  return to;
}
