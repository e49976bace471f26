/**
 * Bundles the collector into one file. `node scripts/build.mjs` always builds; `ensureBuilt()` builds only when a
 * source is newer than the bundle, so that `npx ringflow` works right after an install or an edit.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where the bundle is written. CommonJS, because the engine and koffi are, and because it starts faster. */
export const BUNDLE = join(root, 'collector', 'dist', 'ringflow.cjs');

const ENTRY = join(root, 'collector', 'src', 'cli', 'index.ts');
const SOURCES = [join(root, 'collector', 'src'), join(root, 'contract')];

/** Newest modification time of the sources, in milliseconds since the epoch. */
function newestSourceMs() {
  let newest = Math.max(
    statSync(fileURLToPath(import.meta.url)).mtimeMs,
    statSync(join(root, 'collector', 'package.json')).mtimeMs,
  );
  for (const source of SOURCES) {
    for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(ts|json)$/.test(entry.name) || entry.name.endsWith('.test.ts')) continue;
      newest = Math.max(newest, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
    }
  }
  return newest;
}

/** Builds when the bundle is missing or older than a source; returns whether it did. */
export async function ensureBuilt() {
  if (existsSync(BUNDLE) && statSync(BUNDLE).mtimeMs >= newestSourceMs()) return false;
  await build();
  return true;
}

/** Builds the collector. */
export async function build() {
  mkdirSync(dirname(BUNDLE), { recursive: true });
  // Two commands may build at the same moment: each writes its own file and renames it into place.
  const temporary = `${BUNDLE}.${process.pid}.tmp`;
  const sourcesMs = newestSourceMs();
  await bundle(ENTRY, temporary);
  renameSync(temporary, BUNDLE);
  // A source that was saved while esbuild was reading makes the bundle older than it looks.
  if (newestSourceMs() > sourcesMs) await build();
}

/** Bundles one file. npm packages stay outside: the native ones cannot be bundled, the others need not be. */
export async function bundle(entry, outfile) {
  const esbuild = await import('esbuild');
  await esbuild.build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: 'inline',
    sourcesContent: false,
    logLevel: 'silent',
    alias: { '@ringflow/contract': join(root, 'contract', 'index.ts') },
    plugins: [
      {
        name: 'npm packages stay external',
        setup({ onResolve }) {
          onResolve({ filter: /^[^./]/ }, ({ kind, path }) =>
            kind === 'entry-point' || path.startsWith('@ringflow/') ? undefined : { path, external: true },
          );
        },
      },
    ],
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const started = performance.now();
  try {
    await build();
    console.log(`Built collector/dist/ringflow.cjs in ${Math.round(performance.now() - started)} ms`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
