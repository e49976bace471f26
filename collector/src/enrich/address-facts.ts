import { DIRECTIONS, LOCALITIES } from '@ringflow/contract';
import { COLUMN_INDEX, useColumn, type Batch, type ColumnData } from '../wire/index.ts';
import { createAddressCache } from './address-cache.ts';
import type { AsChoice } from './geo/as-choice.ts';
import { isPublicScope, SCOPE } from './networks/scopes.ts';
import type { Step } from './step.ts';

/** What is known about an address whatever the record; 0 = not known. One object, filled again for each address. */
export interface AddressFacts {
  /** Index in `SCOPES`. */
  scope: number;
  /** It belongs to the own networks, or to a link of ours. */
  own: 0 | 1;
  /** Id of the set of named networks that hold it. */
  network: number;
  country: number;
  place: number;
  /** From sources that are asked before what the exporter says. */
  asn: number;
  /** From sources that are asked after it. */
  asnBehindFlow: number;
  /** Id of the set of reputation labels. */
  threat: number;
  /** Lists name ports of this address: {@link AddressFactsDeps.threatAtPort} is asked for every record. */
  threatByPort: 0 | 1;
}

/** Adds to the facts of the address at `words[at]` to `words[at + 3]`; sees what the resolvers before it found. */
export type AddressResolver = (words: Uint32Array, at: number, facts: AddressFacts) => void;

export interface AddressFactsDeps {
  /** In this order. */
  readonly resolvers: readonly AddressResolver[];
  /** Asked about public addresses only: what the world knows of our own 10.0.0.1 is somebody else's. */
  readonly publicResolvers?: readonly AddressResolver[];
  /** Id of the set of labels of an address at a port, where lists name ports of it. */
  readonly threatAtPort?: (words: Uint32Array, at: number, proto: number, port: number) => number;
  /** Which AS number a record gets. Default: the one it has. */
  readonly chooseAs?: AsChoice;
}

export interface AddressFactsStep {
  readonly step: Step;
  /** What a resolver says has changed: every address is looked up again. */
  invalidate(): void;
  status(): AddressFactsStatus;
}

export interface AddressFactsStatus {
  readonly cacheSlots: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  /** By word of `DIRECTIONS`; bytes are scaled by the sampling rate. */
  readonly directions: Readonly<Record<string, { readonly records: number; readonly bytes: number }>>;
}

/** Addresses kept: at Zipf's law all but a few in a hundred questions of a large network are answered from here. */
const SLOTS = 131_072;
/** Rows whose addresses are asked for together. */
const BLOCK = 64;

/** Words kept per address. The first one holds scope, flags and country. */
const WORDS = 6;
const NETWORK = 1;
const PLACE = 2;
const ASN = 3;
const ASN_BEHIND_FLOW = 4;
const THREAT = 5;
const OWN = 1 << 8;
const THREAT_BY_PORT = 1 << 9;

const IN = DIRECTIONS.indexOf('in');
const OUT = DIRECTIONS.indexOf('out');
const INTERNAL = DIRECTIONS.indexOf('internal');
const TRANSIT = DIRECTIONS.indexOf('transit');
const LOCALITY = { private: LOCALITIES.indexOf('private'), public: LOCALITIES.indexOf('public') };

/**
 * Fills what depends on the two addresses: `src_…` and `dst_…` of scope, network, country, place, AS and threat, and
 * from both `direction` and `locality` (semantics 5.3, 5.4). Each distinct address is looked up once.
 */
export function createAddressFactsStep(deps: AddressFactsDeps): AddressFactsStep {
  const cache = createAddressCache(SLOTS, WORDS);
  const kept = cache.values;
  const facts: AddressFacts = {
    scope: 0,
    own: 0,
    network: 0,
    country: 0,
    place: 0,
    asn: 0,
    asnBehindFlow: 0,
    threat: 0,
    threatByPort: 0,
  };
  const records = new Float64Array(DIRECTIONS.length);
  const bytes = new Float64Array(DIRECTIONS.length);
  const sides = [createSide('src'), createSide('dst')] as const;
  const { resolvers, publicResolvers = [] } = deps;
  const chooseAs = deps.chooseAs ?? ((said) => said);
  const threatAtPort = deps.threatAtPort ?? (() => 0);

  function lookUp(words: Uint32Array, at: number, place: number): void {
    facts.scope = facts.own = facts.network = facts.country = facts.place = 0;
    facts.asn = facts.asnBehindFlow = facts.threat = facts.threatByPort = 0;
    for (const resolve of resolvers) resolve(words, at, facts);
    if (isPublicScope(facts.scope)) for (const resolve of publicResolvers) resolve(words, at, facts);
    kept[place] = facts.scope | (facts.own * OWN) | (facts.threatByPort * THREAT_BY_PORT) | (facts.country << 16);
    kept[place + NETWORK] = facts.network;
    kept[place + PLACE] = facts.place;
    kept[place + ASN] = facts.asn;
    kept[place + ASN_BEHIND_FLOW] = facts.asnBehindFlow;
    kept[place + THREAT] = facts.threat;
  }

  /** The columns of one end of the record, and how a row of them is filled. */
  function createSide(prefix: 'src' | 'dst') {
    let batch: Batch;
    let addresses: Uint32Array;
    const guesses = new Int32Array(BLOCK);
    let scopes: ColumnData;
    // Columns that are written where there is something to say are taken up at the first such row.
    let networks: ColumnData | null;
    let countries: ColumnData | null;
    let places: ColumnData | null;
    let asns: ColumnData | null;
    let threats: ColumnData | null;

    function open(next: Batch): void {
      batch = next;
      addresses = useColumn(batch, COLUMN_INDEX[`${prefix}_addr`]) as Uint32Array;
      scopes = useColumn(batch, COLUMN_INDEX[`${prefix}_scope`]);
      networks = countries = places = threats = null;
      asns = batch.data[COLUMN_INDEX[`${prefix}_as`]] ?? null;
    }

    const guess = (row: number, rows: number): void => cache.guess(addresses, row, rows, guesses);

    /** Fills a row of the block; returns the first word of the facts. */
    function fill(row: number, inBlock: number): number {
      const place = cache.findGuessed(addresses, row * 4, guesses[inBlock] as number);
      if (cache.missed) lookUp(addresses, row * 4, place);
      const first = kept[place] as number;
      scopes[row] = first & 0xff;
      const network = kept[place + NETWORK] as number;
      if (network !== 0) (networks ??= useColumn(batch, COLUMN_INDEX[`${prefix}_network`]))[row] = network;
      if (first >>> 16 !== 0) (countries ??= useColumn(batch, COLUMN_INDEX[`${prefix}_country`]))[row] = first >>> 16;
      const where = kept[place + PLACE] as number;
      if (where !== 0) (places ??= useColumn(batch, COLUMN_INDEX[`${prefix}_place`]))[row] = where;
      const said = asns === null ? 0 : (asns[row] as number);
      const asn = chooseAs(said, kept[place + ASN] as number, kept[place + ASN_BEHIND_FLOW] as number);
      if (asn !== said) (asns = useColumn(batch, COLUMN_INDEX[`${prefix}_as`]))[row] = asn;
      let threat = kept[place + THREAT] as number;
      if ((first & THREAT_BY_PORT) !== 0) threat = threatOf(row);
      if (threat !== 0) (threats ??= useColumn(batch, COLUMN_INDEX[`${prefix}_threat`]))[row] = threat;
      return first;
    }

    function threatOf(row: number): number {
      const proto = batch.data[COLUMN_INDEX.proto]?.[row] ?? 0;
      const port = batch.data[COLUMN_INDEX[`${prefix}_port`]]?.[row] ?? 0;
      return threatAtPort(addresses, row * 4, proto, port);
    }

    return { open, guess, fill };
  }

  function step(batch: Batch, from: number, to: number): void {
    if (batch.used[COLUMN_INDEX.src_addr] === 0 && batch.used[COLUMN_INDEX.dst_addr] === 0) return;
    const [source, destination] = sides;
    source.open(batch);
    destination.open(batch);
    const directions = useColumn(batch, COLUMN_INDEX.direction);
    const localities = useColumn(batch, COLUMN_INDEX.locality);
    const counted = batch.data[COLUMN_INDEX.bytes];
    const rates = batch.data[COLUMN_INDEX.sampling_rate];
    for (let start = from; start < to; start += BLOCK) {
      const rows = Math.min(BLOCK, to - start);
      source.guess(start, rows);
      destination.guess(start, rows);
      for (let i = 0; i < rows; i++) {
        const row = start + i;
        const src = source.fill(row, i);
        const dst = destination.fill(row, i);
        const direction = directionOf(src, dst);
        directions[row] = direction;
        localities[row] = localityOf(src & 0xff, dst & 0xff);
        records[direction] = (records[direction] as number) + 1;
        if (counted) {
          const value = (counted[row * 2] as number) + (counted[row * 2 + 1] as number) * 4_294_967_296;
          bytes[direction] = (bytes[direction] as number) + value * (rates?.[row] || 1);
        }
      }
    }
  }

  return {
    step,
    invalidate: () => cache.clear(),
    status: () => ({
      cacheSlots: SLOTS,
      cacheHits: cache.hits,
      cacheMisses: cache.misses,
      directions: Object.fromEntries(
        DIRECTIONS.map((word, index) => [
          word || 'unknown',
          { records: records[index] as number, bytes: bytes[index] as number },
        ]),
      ),
    }),
  };
}

/**
 * Semantics 5.4. Multicast has no side: as in CUFlow (semantics 2.2 rule 2) it is `out` when it was sent by an own
 * address, else `in`. 0 when an address is missing.
 */
function directionOf(src: number, dst: number): number {
  if ((src & 0xff) === 0 || (dst & 0xff) === 0) return 0;
  const fromOwn = (src & OWN) !== 0;
  if ((dst & 0xff) === SCOPE.multicast) return fromOwn ? OUT : IN;
  if ((dst & OWN) !== 0) return fromOwn ? INTERNAL : IN;
  return fromOwn ? OUT : TRANSIT;
}

/** Semantics 5.3. */
function localityOf(src: number, dst: number): number {
  if (isPublicScope(src) || isPublicScope(dst)) return LOCALITY.public;
  return src === 0 && dst === 0 ? 0 : LOCALITY.private;
}
