/** Runs one TypeScript file of the project as a process of its own: bundled, beside node_modules, and removed after. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './build.mjs';
import { ensureInstalled } from './install.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * @param {string} entry path from the project's root
 * @param {Record<string, string>} beside other files to bundle, by the name they get in the same folder
 * @param {'collector' | 'all'} scope what must be installed
 */
export async function runBundled(entry, args, beside = {}, scope = 'collector') {
  await ensureInstalled(scope);
  mkdirSync(join(root, 'collector', 'dist'), { recursive: true });
  const folder = mkdtempSync(join(root, 'collector', 'dist', 'run-'));
  try {
    const outfile = join(folder, 'main.cjs');
    await bundle(join(root, entry), outfile);
    for (const [name, source] of Object.entries(beside)) await bundle(join(root, source), join(folder, name));
    const { status, signal } = spawnSync(process.execPath, ['--expose-gc', '--enable-source-maps', outfile, ...args], {
      stdio: 'inherit',
      cwd: root,
      env: { ...process.env, TZ: 'UTC' },
    });
    if (signal) console.error(`ended by ${signal}`);
    process.exitCode = status ?? 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
