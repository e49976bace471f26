/**
 * `npm run build:plugin`: the Grafana plugin into grafana-plugin/dist, with the backend for this machine.
 * `npm run package:plugin`: the release zip, with the backends for all platforms, or for those that follow `--`.
 * The front end needs npm packages only. Without Go the backends are left out, and a line says so.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './install.mjs';
import { zip } from './zip.mjs';

const plugin = fileURLToPath(new URL('../grafana-plugin/', import.meta.url));
const dist = join(plugin, 'dist');
const release = join(plugin, 'release');
const readJson = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'));

/** Platforms of the release, by Go's names. */
const PLATFORMS = [
  ['linux', 'amd64'],
  ['linux', 'arm64'],
  ['darwin', 'amd64'],
  ['darwin', 'arm64'],
  ['windows', 'amd64'],
];

/** Go's names of this machine. */
const HERE = [
  { win32: 'windows' }[process.platform] ?? process.platform,
  { x64: 'amd64' }[process.arch] ?? process.arch,
];

/** File name that Grafana looks for. */
function backendName([system, processor]) {
  const { executable } = readJson(plugin, 'src', 'plugin.json');
  return `${executable}_${system}_${processor}${system === 'windows' ? '.exe' : ''}`;
}

function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: plugin,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${status}`);
}

/** True where Go is found and new enough to fetch the version that go.mod names. */
function hasGo() {
  return spawnSync('go', ['list', '-m'], { cwd: plugin, stdio: 'ignore' }).status === 0;
}

function buildFrontEnd() {
  const require = createRequire(join(plugin, 'package.json'));
  const cli = join(require.resolve('webpack-cli/package.json'), '../bin/cli.js');
  run(process.execPath, [
    cli,
    '-c',
    './.config/webpack/webpack.config.ts',
    '--env',
    'production',
    '--stats',
    'errors-warnings',
  ]);
}

function buildBackend([system, processor], folder) {
  const outfile = join(folder, backendName([system, processor]));
  run('go', ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', outfile, './pkg'], {
    CGO_ENABLED: '0',
    GOOS: system,
    GOARCH: processor,
  });
  return outfile;
}

/** What the sources of a backend were, as the plugin SDK's own build writes it. */
function goManifest() {
  return readdirSync(join(plugin, 'pkg'), { recursive: true })
    .map((path) => `pkg/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.go'))
    .sort()
    .map(
      (path) =>
        `${createHash('sha256')
          .update(readFileSync(join(plugin, path)))
          .digest('hex')}:${path}\n`,
    )
    .join('');
}

/** Front end, and the backend for this machine, into dist. */
export function buildPlugin() {
  buildFrontEnd();
  if (hasGo()) buildBackend(HERE, dist);
  else console.error('Go is not installed: the plugin is built without its backend, which every query needs');
}

/** @param {string[]} wanted platforms such as `linux_amd64`; none = all */
function packageRelease(wanted) {
  const platforms = PLATFORMS.filter((platform) => wanted.length === 0 || wanted.includes(platform.join('_')));
  if (platforms.length < wanted.length)
    throw new Error(`Platforms are ${PLATFORMS.map((platform) => platform.join('_')).join(', ')}`);
  const { name, version } = readJson(plugin, 'package.json');
  buildFrontEnd();
  rmSync(release, { recursive: true, force: true });
  mkdirSync(release);
  const entries = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^(gpx_|go_plugin_build_manifest)/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .map((path) => ({
      name: path.slice(dist.length + 1).replaceAll('\\', '/'),
      data: readFileSync(path),
      mode: 0o644,
    }));
  if (hasGo()) {
    for (const platform of platforms) {
      const path = buildBackend(platform, release);
      entries.push({ name: backendName(platform), data: readFileSync(path), mode: 0o755 });
      rmSync(path);
    }
    entries.push({ name: 'go_plugin_build_manifest', data: Buffer.from(goManifest()), mode: 0o644 });
  } else console.error('Go is not installed: the zip is without backends and cannot be used');
  const file = join(release, `${name}-${version}.zip`);
  const bytes = zip(entries.map((entry) => ({ ...entry, name: `${name}/${entry.name}` })));
  writeFileSync(file, bytes);
  console.log(`${file.slice(plugin.length)}: ${entries.length} files, ${(bytes.length / 1e6).toFixed(1)} MB`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const started = performance.now();
  const tasks = { build: buildPlugin, package: packageRelease };
  const task = tasks[process.argv[2]];
  if (!task) throw new Error('usage: node scripts/plugin.mjs build|package');
  await ensureInstalled('all');
  try {
    task(process.argv.slice(3));
    console.log(`Done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
