import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { checkConfig } from './check.ts';
import { COMPOSITION, type Config } from './compose.ts';
import { parseConfig, type ConfigProblem } from './load.ts';

export interface ReadConfig {
  /** Frozen; complete even when there are problems, but not to be run then. */
  readonly config: Config;
  readonly problems: readonly ConfigProblem[];
  /** Where each key that is not a default came from. */
  readonly origins: ReadonlyMap<string, string>;
  /** The file that was read, when there was one. */
  readonly file?: string;
}

/** Name of the file that is read from the current folder when nobody names one. */
const DEFAULT_FILE = 'ringflow.yml';

/** Reads file (`--config`, `RINGFLOW_CONFIG`, ./ringflow.yml) and environment, and checks what they say. */
export function readConfig(path?: string, env: NodeJS.ProcessEnv = process.env): ReadConfig {
  const named = path ?? env['RINGFLOW_CONFIG'];
  const name = named ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined);
  const problems: ConfigProblem[] = [];
  let text: string | undefined;
  if (name !== undefined) {
    try {
      text = readFileSync(name, 'utf8');
    } catch (error) {
      problems.push({
        key: '',
        source: name,
        message: `Cannot read the file: ${(error as Error).message}`,
        hint: 'Name a file that exists, or leave --config away',
      });
    }
  }
  const parsed = parseConfig(
    { env, ...(name !== undefined && text !== undefined ? { file: { name, text } } : {}) },
    COMPOSITION,
  );
  problems.push(...parsed.problems);
  const value = parsed.value as Config;
  problems.push(...checkConfig(value, parsed.origins, problems));
  return {
    config: deepFreeze({ ...value, data_dir: resolve(String(value.data_dir)) }),
    problems,
    origins: parsed.origins,
    ...(name === undefined ? {} : { file: name }),
  };
}

/** What commands that talk to a running collector take from the environment. */
export interface ClientEnvironment {
  readonly url?: string;
  readonly token?: string;
  /** Of `http.ingest`, under the name that the collector itself reads it by. */
  readonly ingestToken?: string;
  /** Files: authorities to trust beside the system's; certificate and key to show. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export function readClientEnvironment(env: NodeJS.ProcessEnv = process.env): ClientEnvironment {
  const { RINGFLOW_URL: url, RINGFLOW_TOKEN: token, RINGFLOW_CA: ca, RINGFLOW_CERT: cert, RINGFLOW_KEY: key } = env;
  const { RINGFLOW_HTTP_INGEST_TOKEN: ingestToken } = env;
  return Object.fromEntries(Object.entries({ url, token, ingestToken, ca, cert, key }).filter(([, value]) => value));
}

/** What the service manager tells a service (sd_notify(3), sd_watchdog_enabled(3)). */
export interface ServiceEnvironment {
  /** Path of its socket, or `@name` of an abstract one. */
  readonly notifySocket?: string;
  /** Microseconds after which it takes a service that says nothing for hung. */
  readonly watchdogUsec?: number;
}

export function readServiceEnvironment(
  env: NodeJS.ProcessEnv = process.env,
  pid: number = process.pid,
): ServiceEnvironment {
  const { NOTIFY_SOCKET: notifySocket, WATCHDOG_USEC: usec, WATCHDOG_PID: watched } = env;
  const watchdogUsec = watched === undefined || Number(watched) === pid ? Number(usec) : 0;
  return { ...(notifySocket ? { notifySocket } : {}), ...(watchdogUsec > 0 ? { watchdogUsec } : {}) };
}

/** Environment of a child process: this one's, with some variables set. */
export function processEnvironment(
  changes: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  return { ...env, ...changes };
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
