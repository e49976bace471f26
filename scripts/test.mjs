/** `npm test [-- wire]`: installs everything that is missing, builds, runs jest. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { buildPlugin } from './plugin.mjs';

await ensureInstalled('all');
await ensureBuilt();
// The tests with a Grafana of their own put the plugin into it.
if (process.env.GRAFANA_HOME) buildPlugin();
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const { status } = spawnSync(process.execPath, [jest, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, TZ: 'UTC' },
});
process.exitCode = status ?? 1;
