import { COLUMN_INDEX } from '../wire/index.ts';
import { createTraffic, writeTime } from './testing/batches.ts';
import { createWorld, firstRow, sums } from './testing/world.ts';

const NOON = Date.UTC(2026, 2, 10, 12);
const DAY_MS = 86_400_000;

test('day-long flows are loaded in slices: every record once, rings equal raw', async () => {
  const world = await createWorld();
  try {
    const batch = createTraffic({ rows: 1_200, seed: 3, receivedMs: NOON });
    const start = batch.data[COLUMN_INDEX.time_flow_start_ns] as Uint32Array;
    for (let row = 0; row < batch.rows; row++) writeTime(start, row, NOON - DAY_MS, 0);
    await world.seal(batch);
    const store = world.store();
    await store.start();
    await store.load();
    expect(store.ledger()).toEqual({ received: 1_200, stored: 1_200, waiting: 0, dropped: [], difference: 0 });
    const { raw, rings } = await sums(store);
    for (const ring of rings) expect(ring.slice(2)).toEqual(raw);
    // A day has 1,440 minutes: each of them has its part of the bytes.
    const [minutes] = await firstRow(store, 'SELECT uniqExact(bucket) FROM rings_1m WHERE ring = 1');
    expect(Number(minutes)).toBeGreaterThan(1_435);
  } finally {
    await world.remove();
  }
}, 300_000);
