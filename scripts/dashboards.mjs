/** `npm run dashboards`: generates the JSON of the dashboards from dashboards/src. */
import { runBundled } from './bundled.mjs';

await runBundled('dashboards/src/main.ts', process.argv.slice(2), {}, 'all');
