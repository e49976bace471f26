import type { Ledger } from '@ringflow/contract';
import { plainDelta, segmentId } from '../../spool/index.ts';
import { createRunningLedger } from './running-ledger.ts';

const segment = (sequence: number, boot = 1) => segmentId({ inlet: '0', boot, sequence });
const store = (
  received: number,
  stored: number,
  last?: string,
): { ledger: Ledger; counted: Record<string, string> } => ({
  ledger: { received, stored, waiting: received - stored, dropped: [], difference: 0 },
  counted: last === undefined ? {} : { '0': last },
});

test('a segment counts once, whoever reports first', () => {
  const ledger = createRunningLedger();
  expect(ledger.totals()).toBeNull();
  ledger.store(store(0, 0));
  ledger.inlet(100);
  expect(ledger.totals()).toMatchObject({ received: 100, waiting: 100 });
  // 20 more came before the seal than the report knew.
  ledger.sealed(segment(1), plainDelta(120));
  expect(ledger.totals()).toMatchObject({ received: 120, waiting: 120, difference: 0 });
  ledger.store(store(120, 0, segment(1)));
  expect(ledger.totals()).toMatchObject({ received: 120, waiting: 120 });
  // The store looks into the spool before the inlet's message is through.
  ledger.store(store(170, 120, segment(2)));
  ledger.sealed(segment(2), plainDelta(50));
  expect(ledger.totals()).toMatchObject({ received: 170, stored: 120, waiting: 50, difference: 0 });
});

test('totals survive a store that starts anew and an inlet with a new boot', () => {
  const ledger = createRunningLedger();
  ledger.store(store(10, 10, segment(7)));
  ledger.sealed(segment(8), plainDelta(5));
  ledger.store(store(10, 10, segment(7)));
  expect(ledger.totals()).toMatchObject({ received: 15, waiting: 5 });
  ledger.inlet(3);
  ledger.inletDown();
  expect(ledger.totals()).toMatchObject({ received: 15, waiting: 5 });
  ledger.sealed(segment(1, 2), plainDelta(2));
  ledger.store(store(17, 15, segment(1, 2)));
  expect(ledger.totals()).toMatchObject({ received: 17, stored: 15, waiting: 2, difference: 0 });
});

test('records that were dropped for want of room are received and dropped', () => {
  const ledger = createRunningLedger();
  ledger.store(store(0, 0));
  ledger.inlet(40);
  ledger.sealed(segment(1), {
    received: 40,
    rows: 0,
    dropped: [{ reason: 'spool_full', exporter: '192.0.2.1', records: 40 }],
  });
  expect(ledger.totals()).toEqual({
    received: 40,
    stored: 0,
    waiting: 0,
    dropped: [{ reason: 'spool_full', exporter: '192.0.2.1', records: 40 }],
    difference: 0,
  });
});
