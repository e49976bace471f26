#!/usr/bin/env node
import { createRequire } from 'node:module';
import { BUNDLE, ensureBuilt } from '../../scripts/build.mjs';

process.setSourceMapsEnabled(true);
try {
  await ensureBuilt();
} catch (error) {
  console.error(
    error.code === 'ERR_MODULE_NOT_FOUND'
      ? 'ringflow: npm packages are missing\n  Run "npm start" in the project folder once: it installs what the collector needs'
      : `ringflow: cannot build the collector: ${error.message}`,
  );
  process.exit(1);
}
// The processes that `serve` forks start from the bundle, not from here.
process.argv[1] = BUNDLE;
createRequire(import.meta.url)(BUNDLE);
