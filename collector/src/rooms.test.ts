import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';

const SRC = __dirname;
const CONTRACT = resolve(SRC, '../../contract');

interface Rule {
  /** Rooms whose `index.ts` may be imported; `contract` goes without saying. */
  readonly rooms: readonly string[];
  /** Rooms of which only types may be imported. */
  readonly types: readonly string[];
  readonly packages: readonly string[];
  /** `node:` modules, or `true` for all. */
  readonly node: readonly string[] | true;
}

/**
 * Who may import whom (docs/architecture.md). A record goes from left to right and never back; `cli/processes/` alone
 * sees everything, because it puts the parts together.
 */
const RULES: Readonly<Record<string, Rule>> = {
  wire: { rooms: [], types: ['metrics'], packages: [], node: [] },
  inlet: {
    rooms: [],
    types: ['wire', 'spool', 'enrich', 'ingest', 'metrics'],
    packages: ['koffi'],
    node: [
      'node:dgram',
      'node:fs',
      'node:fs/promises',
      'node:os',
      'node:path',
      'node:net',
      'node:timers/promises',
      'node:zlib',
    ],
  },
  enrich: {
    rooms: ['wire'],
    types: ['metrics'],
    packages: ['csv-parse/sync', 'maxmind'],
    node: ['node:crypto', 'node:fs/promises', 'node:path', 'node:worker_threads'],
  },
  events: { rooms: [], types: ['inlet'], packages: [], node: ['node:fs', 'node:path'] },
  ingest: { rooms: ['wire'], types: ['metrics'], packages: [], node: ['node:crypto'] },
  spool: { rooms: ['wire'], types: ['metrics'], packages: [], node: ['node:fs', 'node:fs/promises', 'node:path'] },
  store: { rooms: ['spool'], types: ['metrics', 'query'], packages: ['chdb', '@clickhouse/client'], node: true },
  query: { rooms: [], types: ['metrics'], packages: [], node: [] },
  // Prometheus's own protocol: messages, compression and chunks are nothing that the other rooms need to know.
  history: {
    rooms: ['query'],
    types: ['metrics'],
    packages: ['@bufbuild/protobuf/wire', 'snappy'],
    node: ['node:crypto', 'node:stream'],
  },
  http: {
    rooms: ['query', 'ingest', 'scoreboard'],
    types: ['history', 'metrics'],
    packages: ['fastify', '@fastify/compress', '@fastify/swagger'],
    node: true,
  },
  // Texts in, values out; rrdtool itself is run by cli.
  rrd: { rooms: [], types: [], packages: ['sax'], node: [] },
  cuflow: { rooms: ['rrd'], types: [], packages: [], node: [] },
  scoreboard: { rooms: [], types: [], packages: [], node: [] },
  resolve: { rooms: [], types: ['metrics'], packages: [], node: ['node:dns/promises'] },
  snmp: { rooms: [], types: ['metrics'], packages: ['net-snmp'], node: [] },
  names: { rooms: [], types: ['query', 'metrics'], packages: ['yaml'], node: ['node:fs/promises'] },
  metrics: { rooms: [], types: [], packages: ['prom-client'], node: [] },
  schedule: { rooms: [], types: ['metrics'], packages: ['node-cron'], node: [] },
  demo: {
    rooms: [],
    types: ['metrics'],
    packages: [],
    node: ['node:dgram', 'node:timers/promises', 'node:crypto', 'node:net'],
  },
  // Reads the other rooms' config.ts, and only that.
  config: { rooms: [], types: [], packages: ['yaml', 'ajv'], node: ['node:fs', 'node:path'] },
  cli: {
    rooms: [
      'wire',
      'inlet',
      'enrich',
      'ingest',
      'spool',
      'store',
      'query',
      'history',
      'http',
      'metrics',
      'names',
      'schedule',
      'snmp',
      'demo',
      'config',
      'resolve',
      'events',
      'rrd',
      'cuflow',
      'scoreboard',
    ],
    types: [],
    packages: ['koffi', 'pino', 'yaml'],
    node: true,
  },
  contract: { rooms: [], types: [], packages: [], node: [] },
};

interface Import {
  readonly from: string;
  readonly typeOnly: boolean;
}

/** Import and re-export statements, and `import()` calls. */
function importsOf(text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '');
  const statements = [...code.matchAll(/^\s*(?:import|export)\s+(type\s+)?(?:([^'";]*?)\s+from\s+)?'([^']+)'/gm)].map(
    ([, type, names, from]) => ({
      from: from as string,
      typeOnly: type !== undefined || (names !== undefined && /^\{(\s*type\s[^,}]*,?)+\s*\}$/.test(names.trim())),
    }),
  );
  const calls = [...code.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)].map(([, from]) => ({
    from: from as string,
    typeOnly: false,
  }));
  return [...statements, ...calls];
}

function sourcesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map((entry) => join((entry as { parentPath?: string }).parentPath ?? entry.path, entry.name))
    .filter((path) => !/[/\\](testing|testdata|node_modules)[/\\]/.test(path));
}

/** What is wrong with an import, or undefined. */
function objection(room: string, file: string, { from, typeOnly }: Import): string | undefined {
  const rule = RULES[room] as Rule;
  if (from === '@ringflow/contract') return undefined;
  if (from.startsWith('.')) {
    if (!/\.(ts|json)$/.test(from)) return `${from} does not end in .ts`;
    const target = resolve(dirname(file), from);
    const parts = relative(SRC, target).split(sep);
    const other = parts[0] as string;
    if (room === 'contract' ? !relative(CONTRACT, target).startsWith('..') : other === room) return undefined;
    if (from.endsWith('package.json') && room === 'cli') return undefined;
    if (room === 'config' && parts[1] === 'config.ts') return undefined;
    if (!rule.rooms.includes(other) && !(typeOnly && rule.types.includes(other)))
      return `${room} must not import ${typeOnly ? 'types of ' : ''}${other}`;
    if (parts[1] !== 'index.ts' || parts.length !== 2) return `${from} is inside another room: import its index.ts`;
    return undefined;
  }
  const builtin = from.replace(/^node:/, '');
  if (from.startsWith('node:') || builtinModules.includes(builtin)) {
    if (!from.startsWith('node:')) return `write node:${from}`;
    return rule.node === true || rule.node.includes(from) || typeOnly ? undefined : `${room} must not use ${from}`;
  }
  return rule.packages.includes(from) || typeOnly ? undefined : `${room} must not use ${from}`;
}

test.each(Object.keys(RULES))('%s imports only what its row of the table allows', (room) => {
  const folder = room === 'contract' ? CONTRACT : join(SRC, room);
  const objections = sourcesOf(folder).flatMap((file) =>
    importsOf(readFileSync(file, 'utf8')).flatMap((found) => {
      const text = objection(room, file, found);
      return text === undefined ? [] : [`${relative(SRC, file)}: ${text}`];
    }),
  );
  expect(objections).toEqual([]);
});

test('every folder is a room of the table', () => {
  const folders = readdirSync(SRC, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  expect(folders.sort()).toEqual(
    Object.keys(RULES)
      .filter((room) => room !== 'contract')
      .sort(),
  );
});

test('the table is read: forbidden imports are found', () => {
  const file = join(SRC, 'demo', 'encode.ts');
  expect(
    importsOf(
      "import { a } from '../wire/index.ts';\nimport type { B } from '../spool/index.ts';\nexport { type C } from './c.ts';\n",
    ),
  ).toEqual([
    { from: '../wire/index.ts', typeOnly: false },
    { from: '../spool/index.ts', typeOnly: true },
    { from: './c.ts', typeOnly: true },
  ]);
  expect(objection('demo', file, { from: '../wire/index.ts', typeOnly: false })).toBe('demo must not import wire');
  expect(objection('spool', join(SRC, 'spool', 'a.ts'), { from: '../wire/batch.ts', typeOnly: true })).toMatch(
    'import its index.ts',
  );
  expect(objection('wire', join(SRC, 'wire', 'a.ts'), { from: 'node:fs', typeOnly: false })).toBe(
    'wire must not use node:fs',
  );
});
