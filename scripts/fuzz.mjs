/** `npm run fuzz [-- --datagrams N --seed N]`: hostile datagrams through a real inlet; status 1 when something is wrong. */
import { runBundled } from './bundled.mjs';

await runBundled('e2e/fuzz/main.ts', process.argv.slice(2));
