import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  RESOLUTIONS,
  RINGS,
  TOP_LISTS,
  TOP_RESOLUTIONS,
  migrateQuery,
  type DataFrameJson,
  type FlowQueryInput,
  type Ring,
} from '@ringflow/contract';
import { createEngine, STORE_DEFAULTS, type Store } from '../store/index.ts';
import { createTopTraffic } from '../store/testing/top-traffic.ts';
import { createWorld, firstRow, type World } from '../store/testing/world.ts';
import { NO_NAMES, prepareQuery, prepareValues, reachOf, type QueryContext } from './index.ts';
import { RUN, sum, valuesOf } from './testing/store.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 2, 10, 12);
/** Around all of the traffic, in whole days. */
const FROM = NOON - 2.5 * DAY;
const TO = NOON + 3.5 * DAY;
/** Records of a batch. */
const ROWS = 800;

let world: World;
let store: Store;
let nowMs = NOON;
let raw: number[];
/** What the lists answered before anything was in them. */
let listless: { answer: number[]; raw: number[]; lists: unknown[] };

async function feed(rows: number, seed: number, receivedMs: number): Promise<void> {
  nowMs = receivedMs;
  await world.seal(createTopTraffic({ rows, seed, receivedMs }));
  // The first may join a pass that has looked before.
  await store.load();
  expect(await store.load()).toBe(true);
}

/** Batches close by the clock; then what is closed goes into the lists, and closed hours into coarser ones. */
async function consolidate(atMs: number): Promise<void> {
  nowMs = atMs;
  while (await store.consolidate());
}

const rawSums = async (): Promise<number[]> =>
  (await firstRow(
    store,
    'SELECT sum(bytes * greatest(sampling_rate, 1)), sum(packets * greatest(sampling_rate, 1)), count() FROM flows',
  )) as number[];

beforeAll(async () => {
  world = await createWorld();
  store = world.store({ top_k: 10 }, { now: () => nowMs });
  await store.start();
  for (let index = 0; index < 3; index++) {
    await feed(ROWS, index + 1, NOON + index * 50 * MINUTE);
    if (index === 0) {
      const frame = await ask({ kind: 'table', groupBy: ['src_addr'], limit: 3, resolution: '5m' });
      listless = {
        answer: sumsOf(frame),
        raw: await rawSums(),
        lists: await firstRow(store, 'SELECT count() FROM top_5m'),
      };
    }
    await consolidate(nowMs + 6 * MINUTE);
  }
  await consolidate(NOON + 40 * HOUR);
  // Late, and not yet in any list.
  await feed(ROWS, 9, NOON + 41 * HOUR);
  raw = await rawSums();
}, 300_000);
afterAll(() => world.remove());

/** Drops the records that are in the lists, as retention would have by now; the others stay. */
async function dropListedRecords(): Promise<void> {
  await store.stop();
  const engine = createEngine({ ...STORE_DEFAULTS, query_slots: 1 }, join(world.directory, 'engine'));
  await engine.open();
  await engine.exec(
    'ALTER TABLE flows DELETE WHERE batch NOT IN (SELECT batch FROM top_open) SETTINGS mutations_sync = 2',
  );
  await engine.close();
  store = world.store({ top_k: 10 }, { now: () => nowMs });
  await store.start();
}

async function ask(
  query: FlowQueryInput,
  context: Partial<QueryContext> = {},
  [fromMs, toMs]: readonly [number, number] = [FROM, TO],
): Promise<DataFrameJson> {
  const prepared = prepareQuery(
    migrateQuery({ duplicates: 'count', ...query }),
    { fromMs, toMs },
    { names: NO_NAMES, ...reachOf(store.status().tables), nowMs: TO, ...context },
  );
  const results = await Promise.all(
    prepared.statements.map((statement) => store.run(statement, { ...RUN, id: randomUUID() })),
  );
  const [frame] = prepared.frames(results);
  if (!frame) throw new Error('no frame');
  return frame;
}

const sumsOf = (frame: DataFrameJson): number[] =>
  ['bytes', 'packets', 'flows'].map((name) => sum(valuesOf(frame, name)));

/** What tells the rows of a list apart, as far as a query may group by it. */
function groupsOf(list: Ring): string[] {
  return list.keys.filter((key) => !['sampler_address', 'direction', 'dup'].includes(key)).slice(0, 4);
}

/** Without single records except those that no list has: as if they had been dropped. */
function withoutRaw(): Partial<QueryContext> {
  const { oldest, facts } = reachOf(store.status().tables);
  return { oldest: { ...oldest, flows: TO }, facts };
}

/** As if there were so many single records that reading them takes long. */
function manyRows(): Partial<QueryContext> {
  const { oldest, facts } = reachOf(store.status().tables);
  return { oldest, facts: { ...facts, rows: { ...facts.rows, flows: 1e12 } } };
}

describe('shown + other = total, to the byte', () => {
  test.each((RINGS as readonly Ring[]).map((ring) => [ring.name, ring] as const))(
    'ring %s, at every resolution',
    async (_, ring) => {
      const groupBy = ring.keys.filter((key) => key !== 'dup' || ring.keys.length === 1).slice(0, 4);
      for (const { name } of RESOLUTIONS) {
        const frame = await ask({ kind: 'table', groupBy, limit: 3, resolution: name });
        expect([name, sumsOf(frame)]).toEqual([name, raw]);
      }
    },
  );

  test.each((TOP_LISTS as readonly Ring[]).map((list) => [list.name, list] as const))(
    'list %s, at every resolution, with what is in no list yet',
    async (name, list) => {
      const groupBy = groupsOf(list);
      for (const resolution of TOP_RESOLUTIONS) {
        const query = { groupBy, limit: 3, resolution: resolution.name };
        const frame = await ask({ kind: 'table', ...query });
        expect(frame.schema.meta.custom).toMatchObject({ list: name, resolution: resolution.name });
        expect([resolution.name, sumsOf(frame)]).toEqual([resolution.name, raw]);
        const series = await ask({ kind: 'timeseries', ...query, measure: 'total', intervalMs: DAY });
        expect(sum(series.data.values.slice(1).map((values) => sum(values as number[])))).toBe(raw[0]);
      }
      const stitched = await ask({ kind: 'table', groupBy, limit: 3 }, manyRows());
      expect(stitched.schema.meta.custom.table).toMatch(/^(?=.*top_1d)(?=.*top_1h)(?=.*top_5m).* \+ flows$/);
      expect(sumsOf(stitched)).toEqual(raw);
    },
  );

  test('also before anything is in a list', () => {
    expect(listless).toEqual({ answer: listless.raw, raw: listless.raw, lists: [0] });
    expect(listless.raw[2]).toBe(ROWS);
  });

  test('windows that begin and end anywhere', async () => {
    for (let index = 0; index < 12; index++) {
      const fromMs = NOON - 2 * HOUR + ((index * 7_919_353) % (3 * HOUR));
      const toMs = fromMs + 1 + ((index * 104_729_001) % (44 * HOUR));
      const [lists, records] = [
        await ask({ kind: 'table', groupBy: ['dst_addr'], limit: 5 }, manyRows(), [fromMs, toMs]),
        await ask({ kind: 'table', groupBy: ['dst_addr'], limit: 5, resolution: 'raw' }, {}, [fromMs, toMs]),
      ];
      const { custom } = lists.schema.meta;
      const sameTime =
        custom.fromMs === fromMs && custom.toMs === toMs
          ? records
          : await ask({ kind: 'table', groupBy: ['dst_addr'], limit: 5, resolution: 'raw' }, {}, [
              custom.fromMs,
              custom.toMs,
            ]);
      expect([index, sumsOf(lists)]).toEqual([index, sumsOf(sameTime)]);
    }
  });
});

describe('what a list does not name', () => {
  test('is other, and its share and the bound of what is left out are said', async () => {
    const frame = await ask({ kind: 'table', groupBy: ['src_addr'], limit: 5, resolution: '5m' });
    const other = valuesOf(frame, 'bytes').at(-1);
    expect(valuesOf<string>(frame, 'src_addr').at(-1)).toBe('other');
    const [all, unnamed, floor] = (await firstRow(
      store,
      'SELECT sum(bytes), sumIf(bytes, other = 1), sum(floor_bytes) FROM top_5m WHERE list = 1',
    )) as [number, number, number];
    expect(other).toBeGreaterThan(unnamed);
    const sure = valuesOf(frame, 'bytes')
      .slice(0, 5)
      .filter((bytes) => bytes > floor).length;
    expect(frame.schema.meta.notices.find(({ code }) => code === 'approximate')?.text).toBe(
      `${((unnamed / all) * 100).toFixed(1)} % of the bytes are of what the top lists do not name; one that is left out has at most ${floor} bytes, ${sure === 5 ? 'less than any shown' : `less than ${sure} of the 5 shown`}`,
    );
  });

  test('does not match a filter on what it does not know, which is said; it does match one on the exporter', async () => {
    const [[source]] = [valuesOf<string>(await ask({ kind: 'table', groupBy: ['src_addr'], limit: 1 }), 'src_addr')];
    const filter = `src_addr = ${source}`;
    const [lists, records] = [
      await ask({ kind: 'stat', filter }, manyRows()),
      await ask({ kind: 'stat', filter, resolution: 'raw' }),
    ];
    const [named, all] = [sumsOf(lists)[0] as number, sumsOf(records)[0] as number];
    expect(named).toBeLessThanOrEqual(all);
    expect(named).toBeGreaterThan(all * 0.3);
    expect(lists.schema.meta.notices.map(({ text }) => text).join()).toContain('and not counted here');
    const exporter = 'sampler_address = 10.255.0.1';
    const table: FlowQueryInput = { kind: 'table', groupBy: ['src_addr'], limit: 3, filter: exporter };
    expect(sumsOf(await ask(table, manyRows()))).toEqual(sumsOf(await ask({ ...table, resolution: 'raw' })));
  });

  test('either side: named pairs count for both, the rest for nobody', async () => {
    const frame = await ask({ kind: 'table', groupBy: ['addr'], limit: 1000 }, manyRows());
    expect(valuesOf<string>(frame, 'addr')).not.toContain('');
    expect(frame.schema.meta.custom).toMatchObject({ list: 'conversation' });
  });

  test('is in no way of a graph and on no map, and has no value to offer', async () => {
    const graph = await ask({ kind: 'graph', groupBy: ['src_addr', 'dst_addr'], limit: 50 }, manyRows());
    expect(graph.schema.meta.custom).toMatchObject({ list: 'conversation' });
    expect(graph.schema.meta.custom.notices).toContain('approximate');
    expect(valuesOf<string>(graph, 'title')).not.toContain('unknown');
    const values = prepareValues({ field: 'src_addr', search: '', limit: 20, filter: '' }, { fromMs: FROM, toMs: TO }, {
      names: NO_NAMES,
      nowMs: TO,
      ...manyRows(),
    } as QueryContext);
    expect(values.statement.sql).toContain('top_5m');
    const offered = values.values(await store.run(values.statement, { ...RUN, id: randomUUID() })).values;
    const top = valuesOf<string>(
      await ask({ kind: 'table', groupBy: ['src_addr'], limit: 20 }, manyRows()),
      'src_addr',
    );
    expect(offered.map(({ value }) => value)).toEqual(top.slice(0, -1));
  });

  test('distinct values are counted in single records only', async () => {
    const frame = await ask({ kind: 'stat', unique: ['src_addr'] }, manyRows());
    expect(frame.schema.meta.custom.table).toBe('flows');
  });
});

test('single records answer while they are few and reach back, then the lists; all sums stay when records are gone', async () => {
  const query: FlowQueryInput = { kind: 'table', groupBy: ['src_addr', 'dst_addr'], limit: 3 };
  expect((await ask(query)).schema.meta.custom.table).toBe('flows');
  expect((await ask(query, manyRows())).schema.meta.custom.list).toBe('conversation');
  await dropListedRecords();
  expect(await firstRow(store, 'SELECT count() FROM flows')).toEqual([ROWS]);
  for (const ring of RINGS as readonly Ring[]) {
    const frame = await ask({ kind: 'table', groupBy: [...ring.keys.slice(0, 3)], limit: 3 }, withoutRaw());
    expect([ring.name, sumsOf(frame)]).toEqual([ring.name, raw]);
  }
  for (const list of TOP_LISTS as readonly Ring[]) {
    const frame = await ask({ kind: 'table', groupBy: groupsOf(list), limit: 3 }, withoutRaw());
    expect([frame.schema.meta.custom.list, sumsOf(frame)]).toEqual([list.name, raw]);
  }
});
