import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressWords, formatPrefix, maskPrefix, parseAddress, type Prefix } from '@ringflow/contract';
import { createRandom, encodeMmdb, type Random } from '../collector/src/demo/index.ts';
import {
  createEnrich,
  createPrefixTableBuilder,
  ENRICH_COLUMNS,
  ENRICH_DEFAULTS,
  findValue,
  type EnrichConfig,
} from '../collector/src/enrich/index.ts';
import {
  createBatch,
  createDatagramInfo,
  createDecoder,
  resetBatch,
  WIRE_DEFAULTS,
  type Source,
} from '../collector/src/wire/index.ts';
import {
  describeMachine,
  formatSpread,
  mainThreadSeconds,
  median,
  option,
  printTable,
  untilQuiet,
  waitFor,
} from './measure.ts';
import { buildTraffic, type Traffic } from './traffic.ts';

/**
 * Cost of enrichment per record, all of it switched on, step by step in the order of the list; and of longest-prefix
 * matching over a million networks. Addresses follow Zipf's law: 300,000 remote hosts, the popular ones much more often.
 */

const EXPORT_MS = 1_795_217_400_000;
/** Datagrams that the receiver reads with one system call: enrichment runs over their records together. */
const GROUP = 256;
const GROUPS_PER_BATCH = 16;
const NETWORKS = 200;
const AS_PREFIXES = 100_000;
/** Networks of the database of places. */
const PLACES = 30_000;
const MILLION = 1_000_000;

function randomAddress(random: Random, isIpv4: boolean): Uint8Array {
  const bytes = Uint8Array.from({ length: 16 }, () => random.between(0, 255));
  if (!isIpv4) {
    bytes[0] = 0x20 | ((bytes[0] as number) & 0x1f);
    return bytes;
  }
  bytes.fill(0, 0, 10).fill(255, 10, 12);
  bytes[12] = random.between(1, 223);
  return bytes;
}

/** Mostly IPv4, with the lengths that lists of hosts and routes have. */
function randomPrefix(random: Random): Prefix {
  const isIpv4 = random.next() < 0.9;
  const bits = isIpv4 ? 96 + random.pick([16, 20, 22, 24, 24, 24, 28, 32, 32, 32]) : random.pick([32, 40, 48, 48, 64]);
  return maskPrefix(randomAddress(random, isIpv4), bits);
}

function describePrefixTable(): void {
  const random = createRandom(1);
  const prefixes = Array.from({ length: MILLION }, () => randomPrefix(random));
  const asked = 1 << 20;
  const words = new Uint32Array(asked * 4);
  for (let i = 0; i < asked; i++) {
    // Half of them lie in some network for certain.
    const inside = (prefixes[random.between(0, MILLION - 1)] as Prefix).bytes.slice();
    inside[15] = random.between(0, 255);
    words.set(addressWords(i % 2 === 0 ? inside : randomAddress(random, random.next() < 0.9)), i * 4);
  }
  const builds: number[] = [];
  const finds: number[] = [];
  let found = 0;
  for (let round = 0; round < option('rounds', 5); round++) {
    const started = mainThreadSeconds();
    const builder = createPrefixTableBuilder();
    for (let i = 0; i < MILLION; i++) builder.add(prefixes[i] as Prefix, i + 1);
    const table = builder.build();
    const built = mainThreadSeconds();
    found = 0;
    for (let i = 0; i < asked; i++) if (findValue(table, words, i * 4, 0) !== 0) found++;
    builds.push(built - started);
    finds.push(((mainThreadSeconds() - built) / asked) * 1e9);
  }
  printTable(
    ['a million networks', 'CPU time'],
    [
      ['build, s', formatSpread(builds, 2)],
      ['longest match, ns', formatSpread(finds, 0)],
    ],
  );
  console.log(
    `median of ${builds.length} (lowest–highest); ${asked} random addresses, ${((found / asked) * 100).toFixed(0)} % of them in a network\n`,
  );
}

/** Everything that can be switched on. */
function fullConfig(folder: string): EnrichConfig {
  const random = createRandom(2);
  const asPrefixes = join(folder, 'as-prefixes.csv');
  writeFileSync(
    asPrefixes,
    Array.from(
      { length: AS_PREFIXES },
      (_, i) => `${formatPrefix(randomPrefix(random))},${1 + (i % 60_000)},AS ${i}\n`,
    ).join(''),
  );
  const places = join(folder, 'places.mmdb');
  const database = Array.from({ length: PLACES }, (_, i) => ({
    network: formatPrefix(randomPrefix(random)),
    record: {
      country: { iso_code: ['DE', 'FR', 'NL', 'US'][i % 4] as string },
      city: { names: { en: `City ${i % 5000}` } },
      location: { latitude: (i % 180) - 90, longitude: (i % 360) - 180 },
    },
  }));
  writeFileSync(places, encodeMmdb(database, { type: 'GeoLite2-City', description: 'Benchmark', builtMs: EXPORT_MS }));
  const list = join(folder, 'list.netset');
  writeFileSync(list, Array.from({ length: MILLION }, () => `${formatPrefix(randomPrefix(random))}\n`).join(''));
  return {
    ...ENRICH_DEFAULTS,
    networks: Object.fromEntries(
      Array.from({ length: NETWORKS }, (_, i) => [
        `network ${i}`,
        { prefixes: [`10.${i}.0.0/16`, `10.${i}.${i}.0/24`], role: 'office', site: `site ${i % 20}` },
      ]),
    ),
    endpoints: { '10.1.1.1:8443/tcp': 'payroll' },
    geo: { ...ENRICH_DEFAULTS.geo, as_prefixes: asPrefixes, databases: [places] },
    reputation: { ...ENRICH_DEFAULTS.reputation, lists: [{ name: 'list', path: list, category: 'scanner' }] },
    anonymize: {
      ...ENRICH_DEFAULTS.anonymize,
      rules: [{ networks: 'own', method: 'truncate' }],
    },
  };
}

interface Groups {
  readonly templates: readonly Uint8Array[];
  readonly groups: readonly (readonly Uint8Array[])[];
}

function buildGroups(count: number): Groups {
  const traffics: Traffic[] = [];
  for (let seed = 1; seed <= 2; seed++)
    traffics.push(
      buildTraffic(seed === 1 ? 'netflow9' : 'ipfix', {
        datagrams: (count * GROUP) / 2,
        exportMs: EXPORT_MS,
        mixed: true,
        seed,
      }),
    );
  const groups = Array.from({ length: count }, (_, i) => {
    const from = (traffics[i % 2] as Traffic).datagrams;
    return from.slice((i >> 1) * GROUP, ((i >> 1) + 1) * GROUP);
  });
  return { templates: traffics.flatMap(({ templates }) => (templates ? [templates] : [])), groups };
}

/** Nanoseconds per record by step, of all groups. */
async function measureSteps(config: EnrichConfig, { templates, groups }: Groups): Promise<void> {
  const enrich = createEnrich(config);
  await enrich.start();
  const loaded = (): boolean => enrich.status().files.every(({ loadedMs }) => loadedMs > 0);
  await waitFor(() => loaded() || undefined, 120_000, `${JSON.stringify(enrich.status().files)} are loaded`);
  const decoder = createDecoder(WIRE_DEFAULTS, { options: () => undefined, counters: () => undefined });
  const source: Source = {
    address: '192.0.2.1',
    port: 2055,
    words: addressWords(parseAddress('192.0.2.1') as Uint8Array),
  };
  const batch = createBatch({ rowLimit: GROUP * GROUPS_PER_BATCH * 32, columns: ENRICH_COLUMNS });
  const info = createDatagramInfo();
  for (const datagram of templates) decoder.decode(datagram, source, EXPORT_MS, batch, info);
  const samples = new Map<string, number[]>(enrich.steps.map(({ name }) => [name, []]));
  const totals: number[] = [];
  let atWarm = { hits: 0, misses: 0 };
  const passes = option('passes', 6);
  for (let pass = 0; pass < passes; pass++) {
    await untilQuiet();
    // The first two passes warm up compiler and caches.
    const counts = pass >= 2;
    if (pass === 2) {
      const { cacheHits: hits, cacheMisses: misses } = enrich.status().addresses;
      atWarm = { hits, misses };
    }
    for (let group = 0; group < groups.length; group++) {
      if (group % GROUPS_PER_BATCH === 0) resetBatch(batch);
      const from = batch.rows;
      for (const datagram of groups[group] as readonly Uint8Array[])
        decoder.decode(datagram, source, EXPORT_MS + pass * 60_000, batch, info);
      const rows = batch.rows - from;
      let total = 0;
      for (const { name, step } of enrich.steps) {
        const started = performance.now();
        step(batch, from, batch.rows);
        const spent = ((performance.now() - started) / rows) * 1e6;
        if (counts) samples.get(name)?.push(spent);
        total += spent;
      }
      if (counts) totals.push(total);
    }
    enrich.takeNames();
  }
  const { cacheHits, cacheMisses, cacheSlots } = enrich.status().addresses;
  await enrich.stop();
  const hits = cacheHits - atWarm.hits;
  const all = hits + cacheMisses - atWarm.misses;
  const best = [...samples].map(([name, values]) => [name, bestTenth(values)] as const);
  const sum = best.reduce((left, [, nanoseconds]) => left + nanoseconds, 0);
  printTable(
    ['enrichment', 'ns per record, best tenth', 'share, %', 'median'],
    [
      ...best.map(([name, nanoseconds]) => [
        name,
        nanoseconds.toFixed(0),
        ((nanoseconds / sum) * 100).toFixed(0),
        median(samples.get(name) as number[]).toFixed(0),
      ]),
      ['all', bestTenth(totals).toFixed(0), '100', median(totals).toFixed(0)],
    ],
  );
  console.log(
    `${totals.length} groups of ${GROUP} datagrams; ${((hits / all) * 100).toFixed(1)} % of the addresses were in the cache (${cacheSlots} slots)`,
  );
}

/** What a tenth of the groups took at most: those that no other program held up. */
function bestTenth(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 10)] ?? Number.NaN;
}

async function run(): Promise<void> {
  console.log(describeMachine());
  describePrefixTable();
  const folder = mkdtempSync(join(tmpdir(), 'ringflow-bench-'));
  try {
    await measureSteps(fullConfig(folder), buildGroups(option('groups', 64)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void run();
