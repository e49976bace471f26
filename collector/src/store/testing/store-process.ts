import { STORE_DEFAULTS, type StoreConfig } from '../config.ts';
import { createStore } from '../service.ts';

/** How the store of {@link StoreProcessOptions} is run, when it is not run as usual. */
export interface StoreProcessOptions {
  readonly config?: Partial<StoreConfig>;
  /** A clock of its own, in milliseconds since the epoch at the start, and how many times faster it goes. */
  readonly clock?: { readonly startMs: number; readonly speed: number };
  /** Consolidates all the time when the spool is empty, which it says with `loaded`, and `idle` when nothing is left. */
  readonly consolidates?: boolean;
}

/**
 * A store in a process of its own, to be killed: `node store-process.js <spool> <engine> <ledger> [options]`.
 * Says `ready` when it is open and the result of each segment.
 */
const [spoolDirectory, engineDirectory, ledgerPath, json = '{}'] = process.argv.slice(2) as [string, string, string];
const { config, clock, consolidates } = JSON.parse(json) as StoreProcessOptions;
const beganMs = Date.now();
const store = createStore(
  { ...STORE_DEFAULTS, query_slots: 1, ...config },
  {
    spoolDirectory,
    engineDirectory,
    ledgerPath,
    ...(clock ? { now: () => Math.floor(clock.startMs + (Date.now() - beganMs) * clock.speed) } : {}),
    onLoaded: (result) => process.send?.(result),
    onError: (error) => process.send?.({ error: error.message }),
  },
);

async function run(): Promise<void> {
  await store.start();
  process.send?.('ready');
  if (!consolidates) return;
  while (!(await store.load()));
  process.send?.('loaded');
  for (;;) {
    if (!(await store.consolidate())) process.send?.('idle');
    await new Promise((done) => setTimeout(done, 20));
  }
}

run().catch((error: Error) => {
  console.error(error);
  process.exit(1);
});
process.on('disconnect', () => process.exit());
