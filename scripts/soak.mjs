/** `npm run soak [-- --seconds N --rate N]`: an hour of load; status 1 when something grows or does not add up. */
import { join } from 'node:path';
import { runBundled } from './bundled.mjs';

// The run gets a collector of its own: sources may be edited while it takes its hour.
await runBundled('e2e/soak/main.ts', process.argv.slice(2), {
  'ringflow.cjs': join('collector', 'src', 'cli', 'index.ts'),
  'blaster.cjs': join('bench', 'blaster.ts'),
});
