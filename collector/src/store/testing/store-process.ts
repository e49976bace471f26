import { STORE_DEFAULTS } from '../config.ts';
import { createStore } from '../service.ts';

/**
 * A store in a process of its own, to be killed: `node store-process.js <spool> <engine> <ledger>`.
 * Says `ready` when it is open and the result of each segment.
 */
const [spoolDirectory, engineDirectory, ledgerPath] = process.argv.slice(2) as [string, string, string];
const store = createStore(
  { ...STORE_DEFAULTS, query_slots: 1 },
  {
    spoolDirectory,
    engineDirectory,
    ledgerPath,
    onLoaded: (result) => process.send?.(result),
    onError: (error) => process.send?.({ error: error.message }),
  },
);
store.start().then(
  () => process.send?.('ready'),
  (error: Error) => {
    console.error(error);
    process.exit(1);
  },
);
process.on('disconnect', () => process.exit());
