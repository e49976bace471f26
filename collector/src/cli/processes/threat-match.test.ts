import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NameEntry } from '@ringflow/contract';
import { CONFIG_DEFAULTS, type Config } from '../../config/index.ts';
import { createEnrich, ENRICH_COLUMNS, loadTableHere, type ReputationListStatus } from '../../enrich/index.ts';
import { batchOf, type Row } from '../../enrich/testing/batch.ts';
import { createMetrics } from '../../metrics/index.ts';
import type { Store } from '../../store/index.ts';
import { createWorld, type World } from '../../store/testing/world.ts';
import type { Log } from '../log.ts';
import type { StoreChannel } from './store-link.ts';
import { createThreatMatch, type ThreatMatch } from './threat-match.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const DAY_S = 86_400;

let world: World;
let store: Store;
let path: string;
let config: Config;
const names = new Map<number, NameEntry>();
const metrics = createMetrics();
let nowMs = NOW;
let runs = 0;

/** Records that pass the real enrichment with the list as it is, and reach the real store. */
async function receive(rows: readonly Row[]): Promise<void> {
  const enrich = createEnrich(config.enrich, { now: () => nowMs });
  await enrich.start();
  const batch = batchOf(
    rows.map((row) => ({ sampler_address: '192.0.2.1', dst_addr: '10.0.0.1', sampling_rate: 1, ...row })),
    ENRICH_COLUMNS,
  );
  enrich.step(batch, 0, rows.length);
  for (const entry of enrich.takeNames()) if (entry.kind === 'threat') names.set(Number(entry.id), entry);
  await enrich.stop();
  await world.seal(batch);
  await store.load();
}

function at(daysAgo: number, src_addr: string, bytes: number): Row {
  const seconds = NOW / 1000 - daysAgo * DAY_S;
  return { src_addr, bytes, time_received_ns: seconds, time_flow_start_ns: seconds, time_flow_end_ns: seconds };
}

function createMatch(): ThreatMatch {
  const channel = {
    call: (method: 'seenAddresses' | 'saveThreatHits', [input]: [never]) => store[method](input),
  } as unknown as StoreChannel;
  return createThreatMatch(config, {
    loadTable: loadTableHere,
    store: () => channel,
    threatName: (id) => names.get(id)?.name ?? '',
    runNow: async () => void runs++,
    metrics,
    log: { info: () => undefined, warn: () => undefined } as unknown as Log,
    now: () => nowMs,
  });
}

beforeAll(async () => {
  world = await createWorld();
  store = world.store({}, { now: () => nowMs });
  await store.start();
  path = join(world.directory, 'list.csv');
  const reputation = {
    ...CONFIG_DEFAULTS.enrich.reputation,
    lists: [{ name: 'ours', path }],
    keep_documentation: true,
  };
  config = { ...CONFIG_DEFAULTS, enrich: { ...CONFIG_DEFAULTS.enrich, reputation } };
});
afterAll(() => world.remove());

test('what is new in a list is found in the records of the last 30 days, once', async () => {
  writeFileSync(path, 'prefix,label\n198.51.100.1,bot\n');
  await receive([
    at(0, '198.51.100.1', 100),
    at(0, '198.51.100.2', 200),
    at(0, '198.51.100.2', 300),
    at(3, '198.51.100.2', 7),
    at(3, '2001:db8::5', 9),
    at(29, '2001:db8::5', 11),
    at(31, '198.51.100.2', 13),
    at(1, '198.51.100.3', 15),
  ]);
  const match = createMatch();
  await match.run();
  // The one that was labelled when it came is no news.
  expect(await store.loadThreatHits(10)).toEqual([]);
  writeFileSync(
    path,
    'prefix,label\n198.51.100.1,bot\n198.51.100.1,scanner\n198.51.100.2,spam\n2001:db8::/64,worm\n10.0.0.0/8,bot\n',
  );
  for (let time = 0; time < 2; time++) {
    await match.run();
    const hit = { list: 'ours', records: 1 };
    expect(await store.loadThreatHits(10)).toMatchObject([
      {
        ...hit,
        day: '2026-11-21',
        address: '198.51.100.2',
        label: 'spam',
        category: 'spam',
        records: 2,
        bytes: 500,
        firstMs: NOW,
        lastMs: NOW,
      },
      { ...hit, day: '2026-11-21', address: '198.51.100.1', label: 'scanner', bytes: 100 },
      { ...hit, day: '2026-11-18', address: '2001:db8::5', label: 'worm', bytes: 9 },
      { ...hit, day: '2026-11-18', address: '198.51.100.2', label: 'spam', bytes: 7 },
      { ...hit, day: '2026-10-23', address: '2001:db8::5', label: 'worm', bytes: 11 },
    ]);
  }
  expect(await store.loadThreatHits(2)).toHaveLength(2);
  expect(await metrics.text()).toContain('ringflow_reputation_retro_hits{list="ours"} 5');
}, 120_000);

test('pages do not lose or repeat an address, whatever labels its records have', async () => {
  const all = await store.seenAddresses({ day: '2026-11-18', after: null, limit: 10 });
  expect(all.map(({ address, records }) => [address, records])).toEqual([
    ['198.51.100.2', 1],
    ['2001:db8::5', 1],
  ]);
  const [first] = await store.seenAddresses({ day: '2026-11-18', after: null, limit: 1 });
  expect(await store.seenAddresses({ day: '2026-11-18', after: first as never, limit: 1 })).toEqual(all.slice(1));
});

test('a list that changes all the time is not matched all the time', async () => {
  const match = createMatch();
  const list = (dateMs: number) => [{ list: 'ours', dateMs, accepted: 5 } as ReputationListStatus];
  match.noteLists(list(1));
  match.noteLists(list(1));
  expect(runs).toBe(1);
  await match.run();
  match.noteLists(list(2));
  expect(runs).toBe(1);
  nowMs += 3_600_000;
  match.noteLists(list(3));
  expect(runs).toBe(2);
});
