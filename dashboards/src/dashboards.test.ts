import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  columnsOfFilter,
  createFieldTable,
  fillFilter,
  MEASURES,
  METRICS,
  migrateQuery,
  parseFilter,
  QUERY_KINDS,
  type FlowQueryInput,
} from '@ringflow/contract';
import { BOARDS } from './boards.ts';
import { generate } from './generate.ts';

const FOLDER = join(__dirname, '..', 'json');

interface Target {
  readonly refId: string;
  readonly kind?: string;
  readonly filter?: string;
  readonly groupBy?: readonly string[];
  readonly metric?: string;
  readonly measure?: string;
  readonly datasource: { readonly type: string; readonly uid: string };
}
interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description?: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults: { readonly displayName?: string } };
}
interface Written {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly links: readonly { readonly url: string; readonly keepTime: boolean; readonly includeVars: boolean }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
}

const FILES = generate();
const WRITTEN = [...FILES.values()].map((content) => JSON.parse(content) as Written);
const TARGETS = WRITTEN.flatMap(({ uid, panels }) =>
  panels.flatMap((panel) => (panel.targets ?? []).map((target) => ({ name: `${uid}: ${panel.title}`, target }))),
);
const FLOW_TARGETS = TARGETS.filter(({ target }) => target.datasource.type === 'ringflow-flows-datasource');

test('what is committed is what is generated', () => {
  const committed = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  expect(committed.sort()).toEqual([...FILES.keys()].sort());
  for (const [name, content] of FILES)
    if (readFileSync(join(FOLDER, name), 'utf8') !== content)
      throw new Error(`${name} is not what dashboards/src generates: run npm run dashboards`);
});

test('no dashboard names a data source by a uid of its own', () => {
  for (const content of FILES.values()) {
    const uids = [...content.matchAll(/"datasource": \{[^}]*"uid": "([^"]*)"/g)].map(([, uid]) => uid);
    expect(uids.length).toBeGreaterThan(0);
    expect(new Set(uids)).toEqual(new Set(uids.filter((uid) => uid === '${ds}' || uid === '${prometheus}')));
  }
});

test.each(WRITTEN.map((board) => [board.uid, board] as const))(
  '%s: panels are described, numbered and do not overlap',
  (_, board) => {
    expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length);
    const cells = new Set<string>();
    for (const { title, description, gridPos } of board.panels) {
      expect(title).not.toBe('');
      expect(description ?? '').toMatch(/\w{3,}/);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells.has(`${x},${y}`)).toBe(false);
          cells.add(`${x},${y}`);
        }
    }
  },
);

test.each(WRITTEN.map((board) => [board.uid, board] as const))(
  '%s: the bars on top keep time range and variables',
  (_, board) => {
    expect(board.links.length).toBeGreaterThan(8);
    for (const link of board.links) {
      expect(link).toMatchObject({ keepTime: true, includeVars: true });
      expect(BOARDS.map(({ uid }) => `/d/${uid}`)).toContain(link.url);
    }
    const variables = board.templating.list.map(({ name }) => name);
    expect(variables).toEqual(expect.arrayContaining(['ds', 'exporter', 'filter', 'filters']));
  },
);

test.each(FLOW_TARGETS.map(({ name, target }) => [name, target] as const))('%s: the query is one', (_, target) => {
  const fields = createFieldTable();
  const filter = fillFilter(target.filter ?? '', () => null);
  const { tree, error } = parseFilter(filter);
  expect(error).toBeUndefined();
  expect(columnsOfFilter(tree ?? null)).toBeDefined();
  for (const field of target.groupBy ?? []) expect(fields.find(field)?.name).toBe(field);
  expect(QUERY_KINDS).toContain(target.kind ?? 'timeseries');
  expect(METRICS).toContain(target.metric ?? 'bytes');
  expect(MEASURES).toContain(target.measure ?? 'rate');
});

const ofType = (type: string) => WRITTEN.flatMap(({ panels }) => panels.filter((panel) => panel.type === type));

test('what is titled as flow records is counted, not a rate of them', () => {
  const counting = WRITTEN.flatMap(({ panels }) => panels.filter(({ title }) => title.endsWith('(flow records)')));
  expect(counting.length).toBeGreaterThan(20);
  for (const { title, targets = [] } of counting)
    for (const target of targets) {
      const { metric, measure } = migrateQuery(target as FlowQueryInput);
      expect([title, metric, measure]).toEqual([title, 'flows', 'total']);
    }
});

test('beside a table of records everything counts that the table has', () => {
  const boards = WRITTEN.filter(({ uid }) => uid.startsWith('ringflow-records'));
  const targets = boards.flatMap(({ panels }) => panels.flatMap((panel) => panel.targets ?? []));
  const beside = targets.filter(({ kind }) => kind !== 'records');
  expect(beside.map((target) => migrateQuery(target as FlowQueryInput).duplicates)).toEqual(Array(4).fill('count'));
});

test('a bar has its name also where it stands alone', () => {
  expect(ofType('bargauge').length).toBeGreaterThan(1);
  for (const { fieldConfig } of ofType('bargauge'))
    expect(fieldConfig?.defaults.displayName).toBe('${__data.fields[0]}');
});

test('links to other dashboards lead somewhere', () => {
  for (const content of FILES.values())
    for (const [, uid] of content.matchAll(/"\/d\/([\w-]+)/g)) expect(BOARDS.map((board) => board.uid)).toContain(uid);
});
