import { addressWords, parseAddress } from '@ringflow/contract';
import { COLUMN_INDEX, createBatch, useColumn, type Batch } from '../wire/index.ts';
import { createInletLedger } from './ledger.ts';

function batchOf(exporters: readonly string[]): Batch {
  const batch = createBatch({ rowLimit: exporters.length });
  const words = useColumn(batch, COLUMN_INDEX.sampler_address) as Uint32Array;
  exporters.forEach((text, row) => words.set(addressWords(parseAddress(text) as Uint8Array), row * 4));
  batch.rows = exporters.length;
  return batch;
}

test('received = rows + Σ dropped, in every delta', () => {
  const ledger = createInletLedger();
  expect(ledger.take(10)).toEqual({ received: 10, rows: 10, dropped: [] });
  ledger.drop(batchOf(['192.0.2.1', '192.0.2.1']), 'spool_full');
  ledger.drop(batchOf(['2001:db8::1', '192.0.2.1']), 'spool_full');
  expect(ledger.take(5)).toEqual({
    received: 9,
    rows: 5,
    dropped: [
      { reason: 'spool_full', exporter: '192.0.2.1', records: 3 },
      { reason: 'spool_full', exporter: '2001:db8::1', records: 1 },
    ],
  });
  ledger.drop(batchOf(['2001:db8::1']), 'spool_full');
  expect(ledger.status()).toEqual({
    receivedRecords: 20,
    sealedRecords: 15,
    dropped: [
      { reason: 'spool_full', exporter: '192.0.2.1', records: 3 },
      { reason: 'spool_full', exporter: '2001:db8::1', records: 2 },
    ],
  });
});
