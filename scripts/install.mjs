/**
 * Installs what is missing and says so. `collector`: what `ringflow` needs to run; `all`: the developer's tools too.
 * Nothing is done, and quickly, when nothing is missing.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const NODE_NEEDED = [20, 19];
const ENGINE_PLATFORMS = ['linux-x64-gnu', 'linux-arm64-gnu', 'darwin-x64', 'darwin-arm64'];

const readJson = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'));

/** The name of this platform in the engine's package names; musl has none. */
function enginePlatform() {
  const { platform, arch } = process;
  if (platform !== 'linux') return `${platform}-${arch}`;
  const glibc = process.report?.getReport().header.glibcVersionRuntime;
  return `${platform}-${arch}-${glibc ? 'gnu' : 'musl'}`;
}

/** The folder of an installed package as seen from a workspace, or undefined. */
function packageFolder(name, workspace) {
  return [join(root, workspace, 'node_modules', name), join(root, 'node_modules', name)].find((folder) =>
    existsSync(join(folder, 'package.json')),
  );
}

function isInstalled(name, version, workspace) {
  const folder = packageFolder(name, workspace);
  // Grafana's SDK calls its version v0.0.21.
  return folder !== undefined && readJson(folder, 'package.json').version.replace(/^v/, '') === version;
}

function missingOf(dependencies, workspace) {
  return Object.entries(dependencies ?? {})
    .filter(([name, version]) => !isInstalled(name, version, workspace))
    .map(([name]) => name);
}

/** The engine's native package: `{name, version}` that this platform needs, from chdb's own optional dependencies. */
function enginePackage() {
  const name = `@chdb/lib-${enginePlatform()}`;
  const folder = packageFolder('chdb', 'collector');
  return { name, version: folder && readJson(folder, 'package.json').optionalDependencies?.[name] };
}

function engineMissing() {
  const { name } = enginePackage();
  return packageFolder(name, 'collector') === undefined;
}

function fail(message, hint) {
  console.error(`${message}\n  ${hint}`);
  process.exit(1);
}

function checkPlatform() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor < NODE_NEEDED[1])) {
    fail(
      `Ringflow needs Node ${NODE_NEEDED.join('.')} or newer, this is ${process.versions.node}`,
      'Install a current Node from https://nodejs.org',
    );
  }
  if (!ENGINE_PLATFORMS.includes(enginePlatform())) {
    fail(
      `The embedded engine (chdb) is not built for ${enginePlatform()}`,
      'Use one of: Linux x64 or arm64 with glibc (Debian, Ubuntu, Fedora, RHEL …; not Alpine), macOS on Intel or Apple silicon',
    );
  }
}

/** Runs npm, quietly, with a line that shows that it is alive; its output is shown only when it fails. */
function npm(args, what) {
  return new Promise((resolve) => {
    const started = Date.now();
    const seconds = () => Math.round((Date.now() - started) / 1000);
    const live = process.stderr.isTTY === true;
    console.error(what);
    const child = spawn('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    const timer = setInterval(
      () => process.stderr.write(live ? `\r  … ${seconds()} s` : `  … still installing after ${seconds()} s\n`),
      live ? 1000 : 15_000,
    );
    const done = (code) => {
      clearInterval(timer);
      if (live) process.stderr.write('\r\x1b[K');
      if (code === 0) console.error(`  done in ${seconds()} s`);
      else {
        console.error(output.trim());
        fail(
          `npm ${args[0]} failed (exit ${code})`,
          'Check the network and free disk space (about 1 GB), then run the same command again',
        );
      }
      resolve();
    };
    child.on('error', (error) => {
      output += error.message;
      done(-1);
    });
    child.on('close', done);
  });
}

/** @param {'collector' | 'all'} scope */
export async function ensureInstalled(scope) {
  checkPlatform();
  const collector = readJson(root, 'collector', 'package.json');
  const missing = missingOf(collector.dependencies, 'collector');
  if (scope === 'all') {
    const plugin = readJson(root, 'grafana-plugin', 'package.json');
    missing.push(...missingOf(readJson(root, 'package.json').devDependencies, '.'));
    missing.push(...missingOf({ ...plugin.dependencies, ...plugin.devDependencies }, 'grafana-plugin'));
  }
  if (missing.length > 0) {
    const fresh = !existsSync(join(root, 'node_modules'));
    const developer = existsSync(join(root, 'node_modules', 'typescript'));
    if (scope === 'collector' && !developer) {
      await npm(
        [
          fresh ? 'ci' : 'install',
          ...(fresh ? [] : ['--no-save']),
          '--omit=dev',
          '--workspace=contract',
          '--workspace=collector',
        ],
        'Installing what the collector needs (once). The ClickHouse engine is half a gigabyte: this takes a minute or two.',
      );
    } else {
      // Not `ci`, which would throw the engine away and fetch it again.
      await npm(
        [fresh ? 'ci' : 'install', ...(fresh ? [] : ['--no-save'])],
        `Installing ${missing.length} missing packages: the collector, its engine (half a gigabyte) and the developer's tools.`,
      );
    }
  }
  if (engineMissing()) {
    // A lock file made on another platform may not list this platform's engine (npm/cli#4828).
    const { name, version } = enginePackage();
    await npm(
      [
        'install',
        '--no-save',
        '--no-package-lock',
        ...(scope === 'collector' ? ['--omit=dev', '--workspace=collector'] : ['--workspace=collector']),
        `${name}@${version}`,
      ],
      `Installing the engine for ${enginePlatform()} (half a gigabyte).`,
    );
    if (engineMissing())
      fail(
        `The engine package ${name}@${version} is not installed`,
        'Run "npm install" and look for a message about it',
      );
  }
}
