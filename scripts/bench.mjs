/** `npm run bench [-- wire load]`: runs bench/*.bench.ts whose name contains one of the words; prints, never fails. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle, ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';

await ensureInstalled('collector');
await ensureBuilt();
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const options = process.argv.slice(2).filter((word) => word.startsWith('-'));
const files = readdirSync(join(root, 'bench'))
  .filter((name) => name.endsWith('.bench.ts'))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  .sort();
if (files.length === 0) {
  console.error(`No benchmark has ${words.join(' or ')} in its name`);
  process.exitCode = 1;
}
// Beside node_modules, so that the bundles find the npm packages.
const folder = mkdtempSync(join(root, 'collector', 'dist', 'bench-'));
try {
  // What a benchmark starts as a process of its own lies beside it.
  for (const name of readdirSync(join(root, 'bench')).filter((name) => /^[^.]+\.ts$/.test(name)))
    await bundle(join(root, 'bench', name), join(folder, name.replace(/\.ts$/, '.cjs')));
  for (const name of files) {
    const outfile = join(folder, name.replace(/\.ts$/, '.cjs'));
    await bundle(join(root, 'bench', name), outfile);
    console.log(`\n# ${name.replace('.bench.ts', '')}`);
    spawnSync(process.execPath, ['--expose-gc', '--enable-source-maps', outfile, ...options], {
      stdio: 'inherit',
      cwd: root,
    });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
