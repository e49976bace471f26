import { parsePrefix, type Prefix } from '@ringflow/contract';
import { NO_HEADER, type ParseList } from './list-row.ts';

interface StixObject {
  readonly type?: string;
  readonly pattern?: string;
  readonly pattern_type?: string;
  readonly valid_from?: string;
  readonly valid_until?: string;
  readonly revoked?: boolean;
  readonly confidence?: number;
  readonly indicator_types?: readonly string[];
  readonly labels?: readonly string[];
}

/** One comparison with an address or a network. */
const COMPARISON = /^ipv[46]-addr:value\s*(?:=|ISSUBSET)\s*'([^']+)'$/;

/**
 * Indicators of a STIX 2.1 bundle, or of an answer of a TAXII 2.1 collection saved to a file (OASIS STIX 2.1 section
 * 4.7). Patterns that are comparisons with addresses and networks joined by OR are taken; all others are skipped, as
 * are indicators that are revoked, have expired, or are said to be benign.
 *
 * @throws Error when it is no bundle
 */
export const parseStix: ParseList = (text, sink, { nowMs }) => {
  const { objects } = JSON.parse(text) as { readonly objects?: readonly StixObject[] };
  if (!Array.isArray(objects)) throw new Error('It is no STIX bundle: it has no "objects"');
  for (const object of objects as readonly StixObject[]) {
    if (object.type !== 'indicator') continue;
    const fromMs = timeOf(object.valid_from);
    const untilMs = timeOf(object.valid_until);
    if (Number.isNaN(fromMs) || Number.isNaN(untilMs)) {
      sink.broken(0, `An indicator has the times "${object.valid_from}" and "${object.valid_until}"`);
      continue;
    }
    const networks = networksOf(object);
    const terms = [...(object.indicator_types ?? []), ...(object.labels ?? [])];
    const isOver = untilMs !== 0 && untilMs <= nowMs;
    if (networks === null || object.revoked === true || isOver || terms[0] === 'benign') {
      sink.skip();
      continue;
    }
    const label = terms[0];
    for (const match of networks)
      sink.take({
        match,
        ...(label === undefined ? {} : { labels: [label], category: label }),
        ...(object.confidence === undefined ? {} : { confidence: object.confidence }),
        fromMs,
        untilMs,
      });
  }
  return NO_HEADER;
};

function timeOf(text: string | undefined): number {
  return text === undefined ? 0 : Date.parse(text);
}

/** The networks of a pattern; null when it is about anything else, too. */
function networksOf({ pattern = '', pattern_type: type = 'stix' }: StixObject): Prefix[] | null {
  if (type !== 'stix') return null;
  const networks: Prefix[] = [];
  // Between observations and inside of one, OR means the same for a single address.
  for (const part of pattern.split(/\s+OR\s+/)) {
    const value = COMPARISON.exec(part.replace(/^[\s[(]+|[\s\])]+$/g, ''))?.[1];
    const network = value === undefined ? null : parsePrefix(value);
    if (!network) return null;
    networks.push(network);
  }
  return networks;
}
