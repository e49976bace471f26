import { readFile } from 'node:fs/promises';
import { parseAsn, parsePrefix } from '@ringflow/contract';
import { packAsNames, type AsNames } from './table.ts';
import { createPrefixTableBuilder, type PrefixTable } from '../tables/prefix-table.ts';

/** AS numbers of networks, and the names that the file gives them. */
export interface AsPrefixes {
  readonly networks: PrefixTable;
  readonly names: AsNames;
}

/** A field up to a comma, a semicolon or white space, and the rest of the line. */
const FIELD = /^"?([^",;\s]+)"?(?:\s*[,;]\s*|\s+|$)(.*)$/;

/**
 * Reads lines of `network,AS number[,name]`; `#` begins a comment, a heading is left out.
 *
 * @throws Error that names the first line that is none
 */
export async function loadAsPrefixes(path: string): Promise<AsPrefixes> {
  const networks = createPrefixTableBuilder();
  const names = new Map<number, string>();
  for (const { fields, fail } of linesOf(await readFile(path, 'utf8'), 2)) {
    const [network, number, name] = fields as [string, string, string];
    const prefix = parsePrefix(network);
    if (!prefix) throw fail(`"${network}" is not a network, write it like 192.0.2.0/24`);
    const asn = parseAsn(number);
    if (asn === null) throw fail(`"${number}" is not an AS number`);
    networks.add(prefix, asn);
    if (name !== '') names.set(asn, name);
  }
  return { networks: networks.build(), names: packAsNames(names) };
}

/**
 * Reads lines of `AS number,name`.
 *
 * @throws Error that names the first line that is none
 */
export async function loadAsNames(path: string): Promise<AsNames> {
  const names = new Map<number, string>();
  for (const { fields, fail } of linesOf(await readFile(path, 'utf8'), 1)) {
    const [number, name] = fields as [string, string];
    const asn = parseAsn(number);
    if (asn === null) throw fail(`"${number}" is not an AS number`);
    names.set(asn, name);
  }
  return packAsNames(names);
}

interface Line {
  /** So many fields, and the rest of the line as one more. */
  readonly fields: readonly string[];
  readonly fail: (message: string) => Error;
}

function* linesOf(text: string, fieldCount: number): Generator<Line> {
  let number = 0;
  let isFirst = true;
  for (const raw of text.split('\n')) {
    number++;
    let rest = raw.trim();
    if (rest === '' || rest.startsWith('#')) continue;
    const fields: string[] = [];
    while (fields.length < fieldCount) {
      const found = FIELD.exec(rest);
      fields.push(found?.[1] ?? '');
      rest = found?.[2] ?? '';
    }
    const isHeading = isFirst && /^(prefix|network|cidr|asn?)$/i.test(fields[0] as string);
    isFirst = false;
    if (isHeading) continue;
    const at = number;
    fields.push(rest.replace(/^"(.*)"$/, '$1').replaceAll('""', '"'));
    yield { fields, fail: (message) => new Error(`Line ${at}: ${message}`) };
  }
  if (isFirst) throw new Error('It has no lines');
}
