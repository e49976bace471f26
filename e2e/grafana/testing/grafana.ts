import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../collector/src/cli/testing/collector.ts';
import { CHROMIUM } from '../../../collector/src/http/testing/browser.ts';
import { ROOT } from '../../testing/documented.ts';
import { freeTcpPort } from '../../testing/ports.ts';

export const PLUGIN_ID = 'ringflow-flows-datasource';
const DIST = join(ROOT, 'grafana-plugin/dist');
const URL_GIVEN = process.env['GRAFANA_URL'];
const HOME = process.env['GRAFANA_HOME'];
const USER = process.env['GRAFANA_USER'] ?? 'admin';
const PASSWORD = process.env['GRAFANA_PASSWORD'] ?? 'admin';

/** `Authorization` of an administrator, for requests and for pages. */
export const AUTHORIZATION = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;

/** `describe` where there is a Grafana (and a browser for it); else the tests are skipped, and one line says why. */
export function describeWithGrafana(name: string, tests: () => void): void {
  const missing = !URL_GIVEN && !HOME ? 'neither GRAFANA_URL nor GRAFANA_HOME is set' : CHROMIUM ? '' : 'no Chromium';
  if (missing !== '') process.stderr.write(`${name}: ${missing}; its tests are skipped\n`);
  (missing === '' ? describe : describe.skip)(name, tests);
}

/** A Grafana that the tests may change. */
export interface Grafana {
  readonly url: string;
  /** Asks its HTTP API as an administrator; throws what it says when it refuses. */
  api<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
  stop(): Promise<void>;
}

/** The one that `GRAFANA_URL` names, or one of its own from `GRAFANA_HOME`, which asks nothing outside this machine. */
export async function startGrafana(): Promise<Grafana> {
  if (URL_GIVEN) return { ...client(URL_GIVEN.replace(/\/$/, '')), stop: async () => undefined };
  const home = HOME as string;
  const binary = ['bin/grafana', 'bin/grafana-server'].map((path) => join(home, path)).find(existsSync);
  if (!binary) throw new Error(`There is no bin/grafana in GRAFANA_HOME (${home})`);
  if (!existsSync(join(DIST, 'module.js'))) throw new Error('The plugin is not built: run "npm run build:plugin"');

  const folder = mkdtempSync(join(tmpdir(), 'ringflow-grafana-'));
  const port = await freeTcpPort();
  const paths = ['data', 'logs', 'plugins', 'provisioning'].map((name) => join(folder, name));
  for (const path of paths) mkdirSync(path);
  // A copy: the plugin may be built anew meanwhile.
  cpSync(DIST, join(folder, 'plugins', PLUGIN_ID), { recursive: true });
  const [data, logs, plugins, provisioning] = paths as [string, string, string, string];
  const child: ChildProcess = spawn(binary, ['server', '--homepath', home], {
    cwd: home,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      TZ: 'UTC',
      GF_PATHS_DATA: data,
      GF_PATHS_LOGS: logs,
      GF_PATHS_PLUGINS: plugins,
      GF_PATHS_PROVISIONING: provisioning,
      GF_SERVER_HTTP_ADDR: '127.0.0.1',
      GF_SERVER_HTTP_PORT: String(port),
      GF_LOG_MODE: 'console',
      GF_LOG_LEVEL: 'warn',
      GF_SECURITY_ADMIN_USER: USER,
      GF_SECURITY_ADMIN_PASSWORD: PASSWORD,
      GF_SECURITY_DISABLE_GRAVATAR: 'true',
      GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS: PLUGIN_ID,
      GF_PLUGINS_PREINSTALL_DISABLED: 'true',
      GF_PLUGINS_PLUGIN_ADMIN_ENABLED: 'false',
      GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED: 'true',
      GF_ANALYTICS_REPORTING_ENABLED: 'false',
      GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
      GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
      GF_GRAFANA_COM_URL: 'http://127.0.0.1:9',
      GF_GRAFANA_COM_API_URL: 'http://127.0.0.1:9/api',
      GF_NEWS_NEWS_FEED_ENABLED: 'false',
      GF_USERS_DEFAULT_THEME: 'light',
    },
  });
  let output = '';
  const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-20_000));
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const ended = new Promise((resolve) => child.once('close', resolve));
  const grafana = client(`http://127.0.0.1:${port}`);
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(
      async () => {
        if (child.exitCode !== null) throw new Error(`Grafana ended with ${child.exitCode}:\n${output}`);
        return fetch(`${grafana.url}/api/health`).then(
          ({ ok }) => ok,
          () => false,
        );
      },
      90_000,
      () => `Grafana did not start:\n${output}`,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...grafana, stop };
}

function client(url: string): Omit<Grafana, 'stop'> {
  return {
    url,
    api: async <T>(method: string, path: string, body?: unknown) => {
      const response = await fetch(url + path, {
        method,
        headers: { authorization: AUTHORIZATION, 'content-type': 'application/json', 'x-disable-provenance': 'true' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = (await response.text()).trim();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
  };
}
