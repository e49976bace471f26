import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lostDelta, mergeDeltas, type Segment } from '../spool/index.ts';
import { createDurableLedger, readTaken } from './ledger.ts';

const segment = (sequence: number, state: Segment['state'] = 'native'): Segment => ({
  inlet: 'http',
  boot: 1,
  sequence,
  rows: 5,
  sizeBytes: 1,
  hasDelta: true,
  state,
});
const taken = (records: number) => [{ source: '', records, hash: `h${records}` }];
const delta = (records: number) => ({ received: 5, rows: 5, dropped: [], taken: taken(records) });

test('batches that are settled are remembered over restarts, those of a lost segment are not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringflow-ledger-'));
  const path = join(folder, 'ledger.json');
  expect(await readTaken(path)).toEqual([]);
  const ledger = createDurableLedger(path);
  await ledger.load();
  await ledger.settle([{ segment: segment(1), delta: delta(1) }]);
  await ledger.settle([{ segment: segment(2), delta: { received: 5, rows: 5, dropped: [] } }]);
  // Its records are gone: whoever sends them again must be heard.
  await ledger.settle([{ segment: segment(3, 'lost'), delta: delta(3) }]);
  await ledger.settle([{ segment: segment(4), delta: delta(4) }]);
  expect(await readTaken(path)).toEqual([...taken(1), ...taken(4)]);
  expect(lostDelta(delta(3))).not.toHaveProperty('taken');
  expect(mergeDeltas(delta(1), delta(2)).taken).toEqual([...taken(1), ...taken(2)]);
  const again = createDurableLedger(path);
  await again.load();
  await again.settle([{ segment: segment(5), delta: { received: 5, rows: 5, dropped: [] } }]);
  expect(await readTaken(path)).toEqual([...taken(1), ...taken(4)]);
  expect(again.totals([])).toMatchObject({ received: 25, stored: 20, difference: 0 });
  rmSync(folder, { recursive: true });
});
