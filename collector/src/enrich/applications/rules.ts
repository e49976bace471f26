import { addressBytes, parsePrefix, prefixContains, type Prefix } from '@ringflow/contract';
import { COLUMN_INDEX, type Batch } from '../../wire/index.ts';
import { createAddressCache } from '../address-cache.ts';
import type { ApplicationRule } from '../conversations/config.ts';
import { parsePorts } from './service.ts';

/** Finds the application by network or AS of either end (semantics 5.5 rule 5): the same for both directions. */
export interface ApplicationRules {
  bind(batch: Batch): void;
  /** Index of the first rule that fits one of the ends of a row, or -1. */
  find(row: number): number;
}

/** Addresses whose rules are remembered. */
const ADDRESSES = 16_384;

interface Compiled {
  readonly prefixes: readonly Prefix[] | null;
  readonly as: ReadonlySet<number> | null;
  /** First and last service number. */
  readonly ports: readonly (readonly [number, number])[] | null;
}

/**
 * @returns null when there are no rules
 * @throws RangeError for a network or port that is none, or a rule that names neither network nor AS
 */
export function createApplicationRules(rules: readonly ApplicationRule[]): ApplicationRules | null {
  if (rules.length === 0) return null;
  const compiled = rules.map(compileRule);
  const cache = createAddressCache(ADDRESSES, 1);
  /** Which rules hold an address, one byte each; equal answers are one. */
  const answers: Uint8Array[] = [];
  const known = new Map<string, number>();
  const answerOf = cache.values;
  let src: Uint32Array | null = null;
  let dst: Uint32Array | null = null;
  let srcAs: Uint32Array | null = null;
  let dstAs: Uint32Array | null = null;
  let srcPorts: Uint16Array | null = null;
  let dstPorts: Uint16Array | null = null;
  let protos: Uint8Array | null = null;

  function rulesOf(words: Uint32Array, at: number): Uint8Array {
    const place = cache.find(words, at);
    if (cache.missed) {
      const address = addressBytes(words, at);
      const answer = Uint8Array.from(compiled, ({ prefixes }) =>
        prefixes === null || prefixes.some((prefix) => prefixContains(prefix, address)) ? 1 : 0,
      );
      const key = answer.join('');
      let number = known.get(key);
      if (number === undefined) {
        number = answers.push(answer) - 1;
        known.set(key, number);
      }
      answerOf[place] = number;
    }
    return answers[answerOf[place] as number] as Uint8Array;
  }

  function fits(rule: Compiled, asn: number, service: number): boolean {
    if (rule.as !== null && !rule.as.has(asn)) return false;
    if (rule.ports === null) return true;
    for (const [from, to] of rule.ports) if (service >= from && service <= to) return true;
    return false;
  }

  return {
    bind({ data }) {
      src = data[COLUMN_INDEX.src_addr] as Uint32Array | null;
      dst = data[COLUMN_INDEX.dst_addr] as Uint32Array | null;
      srcAs = data[COLUMN_INDEX.src_as] as Uint32Array | null;
      dstAs = data[COLUMN_INDEX.dst_as] as Uint32Array | null;
      srcPorts = data[COLUMN_INDEX.src_port] as Uint16Array | null;
      dstPorts = data[COLUMN_INDEX.dst_port] as Uint16Array | null;
      protos = data[COLUMN_INDEX.proto] as Uint8Array | null;
    },
    find(row) {
      if (!src || !dst) return -1;
      const atSrc = rulesOf(src, row * 4);
      const atDst = rulesOf(dst, row * 4);
      const proto = (protos?.[row] ?? 0) * 65_536;
      for (let index = 0; index < compiled.length; index++) {
        const rule = compiled[index] as Compiled;
        if (
          (atDst[index] === 1 && fits(rule, dstAs?.[row] ?? 0, proto + (dstPorts?.[row] ?? 0))) ||
          (atSrc[index] === 1 && fits(rule, srcAs?.[row] ?? 0, proto + (srcPorts?.[row] ?? 0)))
        )
          return index;
      }
      return -1;
    },
  };
}

function compileRule({ name, prefixes, as, ports }: ApplicationRule): Compiled {
  if (!prefixes && !as) throw new RangeError(`enrich.applications: ${name} names no network and no AS`);
  return {
    prefixes:
      prefixes?.map((text) => {
        const prefix = parsePrefix(text);
        if (!prefix)
          throw new RangeError(`enrich.applications: ${text} of ${name} is not a network, write it like 192.0.2.0/24`);
        return prefix;
      }) ?? null,
    as: as ? new Set(as) : null,
    ports:
      ports?.map((text) => {
        const [proto, from, to] = parsePorts(text, `enrich.applications: ${name}`);
        return [proto * 65_536 + from, proto * 65_536 + to] as const;
      }) ?? null,
  };
}
