/** `npm run package:plugin` and the rules of grafana/plugin-validator that can be checked without the network. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFile, ROOT } from '../testing/documented.ts';
import { findProgram } from '../testing/programs.ts';
import { readZip, type ZipEntry } from '../testing/zip-reader.ts';

jest.setTimeout(600_000);

const ID = 'ringflow-flows-datasource';
/** What Grafana 11.6 to 13 gives to plugins and this one takes; `react/jsx-runtime` is not among it before 12.2.5. */
const SHARED = [
  '@emotion/css',
  '@grafana/data',
  '@grafana/runtime',
  '@grafana/ui',
  'lodash',
  'module',
  'react',
  'react-dom',
  'rxjs',
];
const MOST_BUNDLE_BYTES = 250_000;
const hasGo = findProgram('go') !== null;
const platform = `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`;

interface PluginJson {
  id: string;
  type: string;
  name: string;
  backend?: boolean;
  alerting?: boolean;
  executable?: string;
  includes?: { type: string; path: string }[];
  info: {
    description: string;
    keywords: string[];
    version: string;
    updated: string;
    author: { name: string };
    links: { name: string; url: string }[];
    logos: { small: string; large: string };
    screenshots: { name: string; path: string }[];
  };
  dependencies: { grafanaDependency: string };
}

let entries: ReadonlyMap<string, ZipEntry>;
let plugin: PluginJson;
const file = (path: string): Buffer => {
  const entry = entries.get(`${ID}/${path}`);
  if (!entry) throw new Error(`The zip has no ${path}; it has ${[...entries.keys()].join(', ')}`);
  return entry.data;
};
const text = (path: string): string => file(path).toString();

beforeAll(() => {
  if (!hasGo) process.stderr.write('plugin package: go not installed; the backend in it is not tested\n');
  const run = spawnSync(process.execPath, ['scripts/plugin.mjs', 'package', platform], { cwd: ROOT, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stdout + run.stderr);
  const { version } = JSON.parse(projectFile('grafana-plugin/package.json')) as { version: string };
  entries = readZip(readFileSync(join(ROOT, `grafana-plugin/release/${ID}-${version}.zip`)));
  plugin = JSON.parse(text('plugin.json')) as PluginJson;
});

test('archive: one folder with the name of the plugin, and nothing that does not belong there', () => {
  expect([...entries.keys()].filter((path) => !path.startsWith(`${ID}/`) || path.includes('..'))).toEqual([]);
  expect([...entries.keys()].filter((path) => /node_modules|\.test\.|\.tsx?$|\.env|MANIFEST\.txt/.test(path))).toEqual(
    [],
  );
  const unix = spawnSync('unzip', ['-tq', join(ROOT, `grafana-plugin/release/${ID}-${plugin.info.version}.zip`)]);
  if (!unix.error) expect(unix.status).toBe(0);
});

test('metadata: id, version, dependency and every path in plugin.json are right', () => {
  expect(plugin.id).toBe(ID);
  expect(plugin.id).toMatch(/^[0-9a-z]+-([0-9a-z]+-)?(app|panel|datasource)$/);
  expect(plugin.type).toBe('datasource');
  expect(plugin.info.version).toBe(
    (JSON.parse(projectFile('grafana-plugin/package.json')) as { version: string }).version,
  );
  expect(plugin.info.updated).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  expect(plugin.info.description.length).toBeGreaterThan(20);
  expect(plugin.info.keywords.length).toBeGreaterThan(1);
  expect(plugin.info.author.name).not.toBe('');
  expect(plugin.dependencies.grafanaDependency).toBe('>=11.6.0-0');
  const { logos, screenshots, links } = plugin.info;
  const paths = [
    logos.small,
    logos.large,
    ...screenshots.map(({ path }) => path),
    ...(plugin.includes ?? []).map(({ path }) => path),
  ];
  for (const path of paths) {
    expect(path).not.toMatch(/^[./]/);
    expect(file(path).length).toBeGreaterThan(0);
  }
  for (const { url } of links) expect(url).toMatch(/^https:\/\//);
});

test('pictures: logos draw and nothing else, screenshots are what their names say', () => {
  const { logos, screenshots } = plugin.info;
  for (const path of [logos.small, logos.large])
    expect(text(path)).not.toMatch(
      /<script|<foreignObject|<image|\son[a-z]+=|javascript:|https?:\/\/(?!www\.w3\.org)/i,
    );
  expect(screenshots.length).toBeGreaterThanOrEqual(1);
  for (const { path } of screenshots) expect(file(path).subarray(1, 4).toString()).toBe('PNG');
});

test('texts: README, CHANGELOG and LICENSE are there and are not the template', () => {
  const readme = text('README.md');
  expect(readme.length).toBeGreaterThan(500);
  expect(readme).not.toMatch(/<!--|This is a template|\byarn\b|\bnodejs\b|%[A-Z_]+%/i);
  expect(text('CHANGELOG.md')).toContain(`## ${plugin.info.version}`);
  expect(text('LICENSE')).toMatch(/Apache License\s+Version 2\.0/);
  expect(text('LICENSE')).toMatch(/Copyright 20\d\d \S+/);
  expect(text('LICENSE')).not.toMatch(/\[yyyy\]|\[name of copyright owner\]/);
});

test('bundle: small, for React 18 and 19, and asks Grafana only for what every version has', () => {
  const bundle = text('module.js');
  expect(bundle.length).toBeLessThanOrEqual(MOST_BUNDLE_BYTES);
  const asked = JSON.parse(/define\((\[[^\]]*\])/.exec(bundle)?.[1] ?? '[]') as string[];
  expect(asked).toContain('@grafana/data');
  expect(asked.filter((name) => !SHARED.includes(name))).toEqual([]);
  expect(bundle).not.toMatch(
    /__SECRET_INTERNALS|jsx-runtime|google-analytics|googletagmanager|PanelCtrl|QueryCtrl|eval\(/,
  );
});

test('source map: there, and its sources are those of the repository', () => {
  const map = JSON.parse(text('module.js.map')) as { sources: string[]; sourcesContent: string[] };
  const own = map.sources.flatMap((source, index) => {
    const path = source.replace(`webpack://${ID}/`, '');
    if (/^(webpack\/|external |node_modules|\.\.\/node_modules|\.\.\/\.\.\/node_modules)/.test(path)) return [];
    return [[join(ROOT, 'grafana-plugin/src', path), map.sourcesContent[index] ?? ''] as const];
  });
  const known = own.filter(([path]) => existsSync(path));
  expect(known.length).toBeGreaterThan(20);
  // module.ts gets a line of the bundler.
  const differ = known.filter(
    ([path, content]) => !path.endsWith('module.ts') && readFileSync(path, 'utf8') !== content,
  );
  expect(differ.map(([path]) => path)).toEqual([]);
});

test('build: by create-plugin, never by the toolkit', () => {
  expect(projectFile('grafana-plugin/.config/webpack/webpack.config.ts')).toContain(
    'SCAFFOLDED BY `@grafana/create-plugin`',
  );
  expect(projectFile('grafana-plugin/package.json')).not.toContain('@grafana/toolkit');
  expect(JSON.parse(projectFile('grafana-plugin/.config/.cprc.json'))).toEqual({ version: '7.1.7' });
});

(hasGo ? test : test.skip)('backend: as plugin.json says, executable, static, of these sources', () => {
  expect(plugin).toEqual(expect.objectContaining({ backend: true, alerting: true, executable: 'gpx_ringflow' }));
  const name = `${plugin.executable}_${platform}`;
  expect(entries.get(`${ID}/${name}`)?.mode).toBe(0o755);
  expect(file(name).length).toBeLessThan(40_000_000);
  expect(file(name).includes(ROOT)).toBe(false);
  const lines = text('go_plugin_build_manifest').trim().split('\n');
  expect(lines.length).toBeGreaterThan(4);
  for (const line of lines) {
    const [hash, path = ''] = line.split(':');
    expect(
      createHash('sha256')
        .update(projectFile(join('grafana-plugin', path)))
        .digest('hex'),
    ).toBe(hash);
  }
});
