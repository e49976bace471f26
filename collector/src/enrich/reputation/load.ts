import { readFile, stat } from 'node:fs/promises';
import { addressWords, isMappedIpv4, lastAddress, parsePrefix, type Prefix } from '@ringflow/contract';
import { filesAt } from '../tables/list-files.ts';
import { createPrefixTableBuilder, findEntry, NO_ENTRY, type PrefixTable } from '../tables/prefix-table.ts';
import { categoryOf } from './categories.ts';
import type { ReputationConfig, ReputationListConfig } from './config.ts';
import { detectFormat, forEachLine, FORMATS, type ListHeader, type ListRow, type ListSink } from './formats/index.ts';
import { createReputationTableBuilder, type ReputationTable, type ThreatTag } from './table.ts';
import { createScopes, SCOPE } from '../networks/scopes.ts';

/** What a list is read with. */
export interface ReputationInput {
  readonly list: ReputationListConfig;
  readonly rules: Pick<ReputationConfig, 'categories' | 'keep_documentation' | 'max_file_bytes'>;
  /** Networks whose addresses are never labelled: what others say of our 10.0.0.1 is about theirs. */
  readonly own: readonly string[];
  readonly privateRanges: readonly string[];
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Shorter networks are mistakes: a list that labels a sixteenth of the Internet labels nothing. */
const SHORTEST_IPV4 = 96 + 8;
const SHORTEST_IPV6 = 16;
const LONGEST_LABEL = 64;

/**
 * Reads a reputation list and compiles it by the rules of semantics 7.
 *
 * @throws Error when it cannot be used: too large, not of its format, or only the beginning of what it says it has
 */
export async function loadReputation(input: ReputationInput): Promise<ReputationTable> {
  const { list, rules, nowMs } = input;
  const builder = createReputationTableBuilder();
  const isDropped = createDropRule(input);
  const counts = { accepted: 0, skipped: 0, dropped: 0, broken: 0 };
  let problem = '';
  let dateMs = 0;
  let format = '';
  const categories = list.categories_file ? await readText(list.categories_file, rules.max_file_bytes) : '';
  for (const file of await filesAt(list.path)) {
    const text = await readText(file, rules.max_file_bytes);
    if (text.trim() === '') throw new Error('It is empty');
    const kind = list.format ?? detectFormat(text);
    format = kind;
    const tagsOf = createTagRule(input, FORMATS[kind].confidence);
    let found = 0;
    const sink: ListSink = {
      take: (row) => {
        found++;
        if (typeof row.match !== 'number' && isDropped(row.match)) counts.dropped++;
        else {
          counts.accepted++;
          builder.add(list.port_match === false ? { ...row, port: 0 } : row, tagsOf(row));
        }
      },
      skip: () => {
        found++;
        counts.skipped++;
      },
      broken: (line, why) => {
        found++;
        counts.broken++;
        if (problem === '') problem = line > 0 ? `Line ${line}: ${why}` : why;
      },
    };
    const header = FORMATS[kind].parse(text, sink, { nowMs, categories });
    checkComplete(header, found);
    dateMs = Math.max(dateMs, header.dateMs);
  }
  if (counts.broken > counts.accepted + counts.skipped + counts.dropped)
    throw new Error(`Most of it cannot be read. ${problem}`);
  return builder.build({ ...counts, format, dateMs, problem });
}

/** Networks and addresses that are never labelled: one per line, or a MISP warninglist of the type `cidr`. */
export async function loadAllowList({ path, maxBytes }: { path: string; maxBytes: number }): Promise<PrefixTable> {
  const text = await readText(path, maxBytes);
  const builder = createPrefixTableBuilder();
  const add = (value: string, where: string): void => {
    const prefix = parsePrefix(value);
    if (!prefix) throw new Error(`${where}"${value.slice(0, 60)}" is not an address or a network`);
    builder.add(prefix, 1);
  };
  if (text.trimStart().startsWith('{')) {
    const { type, list } = JSON.parse(text) as { readonly type?: string; readonly list?: readonly string[] };
    if (type !== 'cidr' || !Array.isArray(list)) throw new Error('It is no MISP warninglist of the type cidr');
    for (const value of list) add(String(value), '');
  } else
    forEachLine(text, (line, number) => {
      const word = (line.split(/[#;]/)[0] as string).trim();
      if (word !== '') add(word, `Line ${number}: `);
    });
  return builder.build();
}

async function readText(path: string, maxBytes: number): Promise<string> {
  const { size } = await stat(path);
  if (size > maxBytes)
    throw new Error(`It has ${size} bytes, more than ${maxBytes} (enrich.reputation.max_file_bytes)`);
  return readFile(path, 'utf8');
}

function checkComplete({ declared }: ListHeader, found: number): void {
  if (found < declared) throw new Error(`It ends early: it says that it has ${declared} entries, and has ${found}`);
}

/** Tells networks that no list may label: own, private, reserved, multicast and too large ones. */
function createDropRule({ rules, own, privateRanges }: ReputationInput): (network: Prefix) => boolean {
  const scopes = createScopes(privateRanges.map((text) => parsePrefix(text) as Prefix));
  const builder = createPrefixTableBuilder();
  for (const text of own) builder.add(parsePrefix(text) as Prefix, 1);
  const ownTable = builder.build();
  return (network) => {
    const isIpv4 = network.bits >= 96 && isMappedIpv4(network.bytes);
    if (network.bits < (isIpv4 ? SHORTEST_IPV4 : SHORTEST_IPV6)) return true;
    const first = addressWords(network.bytes);
    // A network that only begins or ends in a range that nobody owns is taken: look-ups leave out the rest of it.
    if (!isLabelled(scopes.scopeOf(first, 0)) && !isLabelled(scopes.scopeOf(addressWords(lastAddress(network)), 0)))
      return true;
    const around = findEntry(ownTable, first, 0);
    return around !== NO_ENTRY && (ownTable.bits[around] as number) <= network.bits;
  };
  function isLabelled(scope: number): boolean {
    return scope === SCOPE.public || (rules.keep_documentation && scope === SCOPE.documentation);
  }
}

/** What the entries of a list are labelled with: what is configured wins over what the file says. */
function createTagRule({ list, rules }: ReputationInput, trust: number): (row: ListRow) => readonly ThreatTag[] {
  // Most rows of a list say the same: one array for all of them.
  let last: { readonly row: ListRow; readonly tags: readonly ThreatTag[] } | null = null;
  return (row) => {
    if (
      last !== null &&
      last.row.labels === row.labels &&
      last.row.category === row.category &&
      last.row.confidence === row.confidence
    )
      return last.tags;
    const confidence = clamp(row.confidence ?? list.confidence ?? trust);
    const labels = list.label === undefined ? (row.labels ?? [list.name]) : [list.label];
    const tags = labels.map((text): ThreatTag => {
      const label = cleanLabel(text) || list.name;
      const category = list.category ?? firstCategory([row.category ?? '', label, list.name]);
      return { label, category, confidence };
    });
    last = { row, tags };
    return tags;
  };

  function firstCategory(words: readonly string[]): string {
    for (const word of words) {
      const category = categoryOf(word, rules.categories);
      if (category !== '') return category;
    }
    return '';
  }
}

/** Labels stand in lists that are separated by commas. */
function cleanLabel(text: string): string {
  return text
    .replace(/[,\u0000-\u001f\u007f]+/g, ' ')
    .trim()
    .slice(0, LONGEST_LABEL);
}

function clamp(confidence: number): number {
  return Math.round(Math.min(100, Math.max(0, confidence)));
}
