import { CONFIG_SCHEMA, type Config } from './compose.ts';
import { settingsOf } from './schema.ts';

/**
 * Keys, and sections of keys, that take effect in running processes. All others are read once, when a process starts:
 * they belong to sockets, to the engine, or to what has been allocated.
 */
const RUNTIME_KEYS: readonly string[] = [
  'log.level',
  'inlet.allow_exporters',
  'enrich',
  'spool.max_bytes',
  'spool.min_free_bytes',
  'store.max_bytes',
  'store.archives',
  'store.top_k',
  'query',
  'history',
  'http.token',
  'http.protect_metrics',
  'http.tls',
  'http.export',
  'http.ingest.token',
  'http.ingest.max_records',
  'http.ingest.max_waiting_bytes',
  'metrics',
  'names',
  'snmp',
  'scoreboard',
];

/** What a new configuration changes. */
export interface ConfigChange {
  /** Keys that take effect at once. */
  readonly applied: readonly string[];
  /** Keys whose new value has to wait for a restart. */
  readonly restart: readonly string[];
}

/** Says whether a new value of a key takes effect without a restart. */
export function isRuntimeKey(key: string): boolean {
  return RUNTIME_KEYS.some((prefix) => key === prefix || key.startsWith(`${prefix}.`));
}

/**
 * A copy of the configuration that {@link applyConfig} may change. Rooms hold it, or a section of it, and read a
 * setting when they use it.
 */
export function createLiveConfig(config: Config): Config {
  return structuredClone(config);
}

/** Brings the run-time keys of a live configuration to what `next` says, in place; the others stay as they are. */
export function applyConfig(live: Config, next: Config): ConfigChange {
  const applied: string[] = [];
  const restart: string[] = [];
  for (const { path } of settingsOf(CONFIG_SCHEMA)) {
    const key = path.join('.');
    const name = path.at(-1) as string;
    const before = sectionAt(live, path);
    const after = sectionAt(next, path);
    // Plain data, as it came from YAML or from the environment.
    if (JSON.stringify(before[name]) === JSON.stringify(after[name])) continue;
    // A listener that speaks TLS cannot be made to speak without it, nor to ask for other certificates than before.
    const switches = key.startsWith('http.tls.') && (before[name] === '') !== (after[name] === '');
    if (isRuntimeKey(key) && !switches) {
      before[name] = structuredClone(after[name]);
      applied.push(key);
    } else restart.push(key);
  }
  return { applied, restart };
}

function sectionAt(config: Config, path: readonly string[]): Record<string, unknown> {
  let section = config as unknown as Record<string, unknown>;
  for (const step of path.slice(0, -1)) section = section[step] as Record<string, unknown>;
  return section;
}
