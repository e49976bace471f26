import { CONFIG_DEFAULTS, CONFIG_SCHEMA, type Config } from './compose.ts';
import { applyConfig, createLiveConfig, isRuntimeKey } from './live.ts';
import { settingsOf } from './schema.ts';

/** A configuration in which one key has another value. */
function withKey(path: readonly string[], value: unknown): Config {
  const config = structuredClone(CONFIG_DEFAULTS) as unknown as Record<string, unknown>;
  let section = config;
  for (const step of path.slice(0, -1)) section = section[step] as Record<string, unknown>;
  section[path.at(-1) as string] = value;
  return config as unknown as Config;
}

const keys = settingsOf(CONFIG_SCHEMA).map(({ path }) => path);

test.each(keys)('%s %s %s: a change is applied or waits for a restart, as the reference says', (...path) => {
  const steps = path.filter((step) => typeof step === 'string');
  const key = steps.join('.');
  const live = createLiveConfig(CONFIG_DEFAULTS);
  const next = withKey(steps, { changed: true });
  const change = applyConfig(live, next);
  const switchesTls = key.startsWith('http.tls.');
  // What is on cannot be seen from a value that is no text.
  if (switchesTls) return;
  expect(change).toEqual(isRuntimeKey(key) ? { applied: [key], restart: [] } : { applied: [], restart: [key] });
  expect(live).toEqual(isRuntimeKey(key) ? next : CONFIG_DEFAULTS);
});

test('sections keep their identity: rooms hold them', () => {
  const live = createLiveConfig(CONFIG_DEFAULTS);
  const { query, names, store } = live;
  applyConfig(live, {
    ...CONFIG_DEFAULTS,
    query: { ...CONFIG_DEFAULTS.query, max_rows: 7 },
    names: { ...CONFIG_DEFAULTS.names, exporters: { '192.0.2.1': 'edge' } },
    store: {
      ...CONFIG_DEFAULTS.store,
      archives: { ...CONFIG_DEFAULTS.store.archives, raw: { seconds: 8, share: 0.5 } },
    },
  });
  expect([query.max_rows, names.exporters, store.archives.raw]).toEqual([
    7,
    { '192.0.2.1': 'edge' },
    { seconds: 8, share: 0.5 },
  ]);
});

test('the configuration that came in is not touched, nor shared', () => {
  const frozen = Object.freeze({ ...CONFIG_DEFAULTS, names: Object.freeze({ ...CONFIG_DEFAULTS.names }) });
  const live = createLiveConfig(frozen);
  const next = withKey(['names', 'sets'], { guests: ['10.9.0.0/16'] });
  applyConfig(live, next);
  (next.names.sets as Record<string, string[]>)['guests'] = [];
  expect(live.names.sets).toEqual({ guests: ['10.9.0.0/16'] });
});

test('another certificate is taken at once, TLS itself comes and goes with a restart', () => {
  const off = CONFIG_DEFAULTS;
  const on = withKey(['http', 'tls'], { cert: 'a.pem', key: 'a.key', client_ca: '' });
  const other = withKey(['http', 'tls'], { cert: 'b.pem', key: 'b.key', client_ca: 'ca.pem' });
  expect(applyConfig(createLiveConfig(off), on)).toEqual({ applied: [], restart: ['http.tls.cert', 'http.tls.key'] });
  expect(applyConfig(createLiveConfig(on), off)).toEqual({ applied: [], restart: ['http.tls.cert', 'http.tls.key'] });
  expect(applyConfig(createLiveConfig(on), other)).toEqual({
    applied: ['http.tls.cert', 'http.tls.key'],
    restart: ['http.tls.client_ca'],
  });
});
