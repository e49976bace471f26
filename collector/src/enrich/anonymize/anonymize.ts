import { readFile } from 'node:fs/promises';
import { parsePrefix } from '@ringflow/contract';
import { COLUMN_INDEX, type Batch } from '../../wire/index.ts';
import { createAddressCache } from '../address-cache.ts';
import { TRUNCATE_BITS, type AnonymizeConfig, type AnonymizeRule } from './config.ts';
import { createCryptopan, parseCryptopanKey, type AddressRewriter } from './cryptopan.ts';
import { createPrefixTableBuilder, findEntry, NO_ENTRY } from '../tables/prefix-table.ts';
import type { Step } from '../step.ts';

export interface Anonymize {
  /** Comes last: everything else is looked up by the addresses as they are. */
  readonly step: Step;
  /** Reads the keys; rejects when one cannot be read, since records must not be stored without it. */
  start(): Promise<void>;
}

type IsIn = (words: Uint32Array, at: number) => boolean;

interface Rule {
  readonly isIn: IsIn;
  rewrite: AddressRewriter;
}

/** Addresses whose pseudonyms are kept: one costs up to some 10 µs. */
const SLOTS = 65_536;
/** Rows whose addresses are asked for together. */
const BLOCK = 64;

/**
 * @param isOwn whether an address is in the own networks
 * @throws RangeError for a rule that cannot be followed
 */
export function createAnonymize(config: AnonymizeConfig, isOwn: IsIn): Anonymize {
  const rules = config.rules.map((rule, index): Rule => {
    const key = `enrich.anonymize.rules.${index}`;
    return { isIn: createTest(rule.networks, isOwn, key), rewrite: createRewriter(rule, key) };
  });
  const columns = config.columns.map((name) => COLUMN_INDEX[name]);
  const cache = createAddressCache(rules.length === 0 ? 4 : SLOTS, 4);
  const pseudonyms = cache.values;
  const guesses = new Int32Array(BLOCK);

  function makePseudonym(words: Uint32Array, at: number, place: number): void {
    for (let i = 0; i < 4; i++) pseudonyms[place + i] = words[at + i] as number;
    for (const { isIn, rewrite } of rules) {
      if (!isIn(words, at)) continue;
      rewrite(pseudonyms, place);
      return;
    }
  }

  function rewriteBlock(words: Uint32Array, start: number, rows: number): void {
    cache.guess(words, start, rows, guesses);
    for (let i = 0; i < rows; i++) {
      const at = (start + i) * 4;
      if (words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0 && words[at + 3] === 0) continue;
      const place = cache.findGuessed(words, at, guesses[i] as number);
      if (cache.missed) makePseudonym(words, at, place);
      words[at] = pseudonyms[place] as number;
      words[at + 1] = pseudonyms[place + 1] as number;
      words[at + 2] = pseudonyms[place + 2] as number;
      words[at + 3] = pseudonyms[place + 3] as number;
    }
  }

  return {
    step(batch: Batch, from: number, to: number) {
      if (rules.length === 0) return;
      for (const column of columns) {
        const words = batch.used[column] === 1 ? batch.data[column] : null;
        if (!words) continue;
        for (let start = from; start < to; start += BLOCK)
          rewriteBlock(words as Uint32Array, start, Math.min(BLOCK, to - start));
      }
    },
    async start() {
      await Promise.all(
        rules.map(async (rule, index) => {
          const { method, key_file } = config.rules[index] as AnonymizeRule;
          if (method === 'cryptopan') rule.rewrite = createCryptopan(await readKey(index, key_file as string));
        }),
      );
    },
  };
}

async function readKey(index: number, path: string): Promise<Uint8Array> {
  try {
    return parseCryptopanKey(await readFile(path));
  } catch (error) {
    throw new Error(`enrich.anonymize.rules.${index}.key_file: ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function createTest(networks: AnonymizeRule['networks'], isOwn: IsIn, key: string): IsIn {
  if (networks === 'all') return () => true;
  if (networks === 'own') return isOwn;
  if (networks === 'all-but-own') return (words, at) => !isOwn(words, at);
  const builder = createPrefixTableBuilder();
  for (const text of networks as readonly string[]) {
    const prefix = parsePrefix(text);
    if (!prefix) throw new RangeError(`${key}.networks: ${text} is not a network, write it like 192.0.2.0/24`);
    builder.add(prefix, 1);
  }
  const table = builder.build();
  return (words, at) => findEntry(table, words, at) !== NO_ENTRY;
}

function createRewriter({ method, v4_bits, v6_bits, key_file }: AnonymizeRule, key: string): AddressRewriter {
  if (method === 'keep') return () => undefined;
  if (method === 'truncate') return createTruncate(v4_bits ?? TRUNCATE_BITS.v4, v6_bits ?? TRUNCATE_BITS.v6);
  if (key_file === undefined) throw new RangeError(`${key}: the method cryptopan needs a key_file`);
  return () => {
    throw new Error(`${key}: the key has not been read`);
  };
}

/** Clears all bits of an address but the first. */
export function createTruncate(v4Bits: number, v6Bits: number): AddressRewriter {
  const masks = { v4: addressMask(96 + v4Bits), v6: addressMask(v6Bits) };
  return (words, at) => {
    const isIpv4 = words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0xffff_0000;
    const mask = isIpv4 ? masks.v4 : masks.v6;
    for (let i = 0; i < 4; i++) words[at + i] = ((words[at + i] as number) & (mask[i] as number)) >>> 0;
  };
}

/** The first bits set, as four words of an `addr` column. */
function addressMask(bits: number): Uint32Array {
  const mask = new Uint32Array(4);
  for (let bit = 0; bit < bits; bit++)
    mask[bit >> 5] = ((mask[bit >> 5] as number) | (1 << ((bit & 24) + 7 - (bit & 7)))) >>> 0;
  return mask;
}
