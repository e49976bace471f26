import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FILES = readdirSync(__dirname, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !/\.test\.|testing\//.test(name))
  .map((name) => ({ name, text: readFileSync(join(__dirname, name), 'utf8') }));

/** Files that hold the pattern, for a message that says where. */
const holding = (pattern: RegExp) => FILES.filter(({ text }) => pattern.test(text)).map(({ name }) => name);

test('pitfall 22: nothing of the source needs the new JSX runtime', () => {
  expect(holding(/react\/jsx-runtime|__SECRET_INTERNALS/)).toEqual([]);
  expect(FILES.filter(({ name, text }) => name.endsWith('.tsx') && !/^import React\b/m.test(text))).toEqual([]);
});

test('pitfall 25: no data source is named by its uid', () => {
  expect(holding(/uid: '[^$']+'/)).toEqual([]);
});

test('pitfall 26: no deprecated selects', () => {
  expect(holding(/\b(Multi|Async|Virtualized)?Select\b[^A-Za-z]*(,|\})[^;]*from '@grafana\/ui'/)).toEqual([]);
});

test('pitfall 28: colours and distances come from the theme', () => {
  expect(holding(/#[0-9a-f]{3,8}\b|rgba?\(|(margin|padding|gap)[A-Za-z]*: '?\d*[1-9]\d*(px)?/i)).toEqual([]);
});

test('templates are looked up when they are used, never when a file is loaded', () => {
  expect(holding(/^(export )?const \w+ = get(TemplateSrv|BackendSrv)\(/m)).toEqual([]);
});
