/** `npm run chaos [-- --seed N --kills N]`: a collector under load is killed at random; status 1 when a record is lost. */
import { join } from 'node:path';
import { runBundled } from './bundled.mjs';

// The run gets a collector of its own: sources may be edited while it takes its minutes.
await runBundled('e2e/chaos/main.ts', process.argv.slice(2), {
  'ringflow.cjs': join('collector', 'src', 'cli', 'index.ts'),
});
