/**
 * Grafana and Prometheus beside the demo, where they are installed: `GRAFANA_HOME` or `grafana` on the PATH,
 * `PROMETHEUS` or `prometheus` on the PATH. Both listen on loopback and keep their data in `data/`; they end with the demo.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const PLUGIN = 'ringflow-flows-datasource';
const host = '127.0.0.1';

/** Starts what is found, says where it is, and for what is not found says how to get it. Never fails. */
export async function startStack() {
  const collector = `http://${host}:${process.env['RINGFLOW_HTTP_PORT'] ?? 8055}`;
  const prometheus = await startPrometheus(collector);
  await startGrafana(collector, prometheus);
}

async function startPrometheus(collector) {
  const port = Number(process.env['PROMETHEUS_PORT'] ?? 9090);
  const url = `http://${host}:${port}`;
  const binary = process.env['PROMETHEUS'] || onPath('prometheus');
  if (!binary) {
    say(
      'Prometheus is not installed. To have it beside the demo: apt-get install prometheus, or docker compose up --build',
    );
    return url;
  }
  if (await isTaken(port)) {
    say(
      `Something answers on port ${port}; it is taken for your Prometheus. Another port: PROMETHEUS_PORT=9091 npm start`,
    );
    return url;
  }
  const folder = join(root, 'data', 'prometheus');
  mkdirSync(folder, { recursive: true });
  const config = readFileSync(join(root, 'provisioning', 'prometheus', 'prometheus.yml'), 'utf8')
    .replaceAll('127.0.0.1:8055', new URL(collector).host)
    .replaceAll('- rules/', `- ${join(root, 'provisioning', 'prometheus', 'rules')}/`);
  writeFileSync(join(folder, 'prometheus.yml'), config);
  run('Prometheus', binary, [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    '--storage.tsdb.retention.time=30d',
    `--web.listen-address=${host}:${port}`,
    '--log.level=warn',
  ]);
  say(`Prometheus: ${url}`);
  return url;
}

async function startGrafana(collector, prometheus) {
  const port = Number(process.env['GRAFANA_PORT'] ?? 3000);
  const found = findGrafana();
  if (!found) {
    say(
      'Grafana is not installed. To see the dashboards: GRAFANA_HOME=/usr/share/grafana npm start, or docker compose up --build',
    );
    return;
  }
  if (await isTaken(port)) {
    say(`Port ${port} is taken, so Grafana is not started. Another port: GRAFANA_PORT=3001 npm start`);
    return;
  }
  const plugin = await pluginFolder();
  if (!plugin) return;
  const folder = join(root, 'data', 'grafana');
  mkdirSync(join(folder, 'plugins'), { recursive: true });
  const link = join(folder, 'plugins', PLUGIN);
  if (!existsSync(link)) symlinkSync(plugin, link);
  run('Grafana', found.binary, [...found.args, '--homepath', found.home], {
    ...environment(folder),
    GF_SERVER_HTTP_ADDR: host,
    GF_SERVER_HTTP_PORT: String(port),
    RINGFLOW_URL: collector,
    PROMETHEUS_URL: prometheus,
  });
  say(
    `Grafana with all dashboards: http://${host}:${port}/d/ringflow-overview (ready in a few seconds; admin / admin to change things)`,
  );
}

/** Settings of a Grafana that belongs to the demo alone: nothing to click, nothing asked from the Internet. */
function environment(folder) {
  const dashboards = join(root, 'dashboards', 'json');
  return {
    GF_PATHS_DATA: join(folder, 'data'),
    GF_PATHS_LOGS: join(folder, 'logs'),
    GF_PATHS_PLUGINS: join(folder, 'plugins'),
    GF_PATHS_PROVISIONING: join(root, 'provisioning'),
    GF_LOG_LEVEL: 'warn',
    GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS: PLUGIN,
    GF_PLUGINS_PREINSTALL_DISABLED: 'true',
    GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED: 'true',
    GF_AUTH_ANONYMOUS_ENABLED: 'true',
    GF_AUTH_ANONYMOUS_ORG_ROLE: 'Editor',
    GF_ANALYTICS_REPORTING_ENABLED: 'false',
    GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
    GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
    GF_NEWS_NEWS_FEED_ENABLED: 'false',
    GF_SECURITY_DISABLE_GRAVATAR: 'true',
    GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: join(dashboards, 'ringflow-overview.json'),
    RINGFLOW_DASHBOARDS: dashboards,
    // Nobody listens there until you name your own.
    RINGFLOW_ALERT_WEBHOOK: process.env['RINGFLOW_ALERT_WEBHOOK'] ?? 'http://127.0.0.1:9/',
  };
}

/** Program, first arguments and home folder of an installed Grafana, or undefined. */
function findGrafana() {
  const homes = [process.env['GRAFANA_HOME'], '/usr/share/grafana', '/opt/homebrew/opt/grafana/share/grafana'].filter(
    Boolean,
  );
  const home = homes.find((folder) => existsSync(join(folder, 'public', 'build')));
  if (!home) return undefined;
  const inside = join(home, 'bin', 'grafana');
  const binary = isExecutable(inside) ? inside : onPath('grafana');
  if (binary) return { binary, args: ['server'], home };
  const older = onPath('grafana-server');
  return older && { binary: older, args: [], home };
}

/** The built plugin; built now where it is not. */
async function pluginFolder() {
  const folder = join(root, 'grafana-plugin', 'dist');
  if (existsSync(join(folder, 'module.js'))) return folder;
  say('Building the data source for Grafana (once; its tools are nearly a gigabyte, and its backend needs Go) …');
  const built = spawnSync(process.execPath, [join(root, 'scripts', 'plugin.mjs'), 'build'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (built.status === 0) return folder;
  say('The data source could not be built, so Grafana is not started. npm run build:plugin says why');
  return undefined;
}

/** Starts a program that ends with this process; its output goes into a file of `data/`. */
function run(name, binary, args, env = {}) {
  const log = join(root, 'data', `${name.toLowerCase()}.log`);
  const out = openSync(log, 'a');
  const child = spawn(binary, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', out, out] });
  // The demo ends when nothing is left to do, and does not wait for these.
  child.unref();
  let ending = false;
  child.on('error', (error) => say(`${name} could not be started: ${error.message}`));
  child.on('exit', (code) => {
    if (!ending) say(`${name} ended (${code}); ${log} says why`);
  });
  const end = () => {
    ending = true;
    child.kill();
  };
  process.once('exit', end);
  process.once('SIGINT', () => (ending = true));
  process.once('SIGTERM', () => (ending = true));
}

function isTaken(port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function onPath(name) {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function say(text) {
  console.error(text);
}
