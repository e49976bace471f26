/** `npm start`: installs what the collector needs if it is missing, builds, runs the demo. */
import { ensureInstalled } from './install.mjs';

await ensureInstalled('collector');
process.argv.splice(2, 0, 'demo');
await import('../collector/bin/ringflow.mjs');
