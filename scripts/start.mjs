/** `npm start`: installs what the collector needs if it is missing, builds, runs the demo; Grafana and Prometheus beside it. */
import { ensureInstalled } from './install.mjs';
import { startStack } from './stack.mjs';

await ensureInstalled('collector');
await startStack();
process.argv.splice(2, 0, 'demo');
await import('../collector/bin/ringflow.mjs');
