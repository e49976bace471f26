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
  expect(ledger.kept(10)).toEqual({ received: 10, rows: 10, dropped: [] });
  expect(ledger.dropped(batchOf(['192.0.2.1', '192.0.2.1', '2001:db8::1', '192.0.2.1']), 'spool_full')).toEqual({
    received: 4,
    rows: 0,
    dropped: [
      { reason: 'spool_full', exporter: '192.0.2.1', records: 3 },
      { reason: 'spool_full', exporter: '2001:db8::1', records: 1 },
    ],
  });
  ledger.dropped(batchOf(['2001:db8::1']), 'spool_full');
  expect(ledger.status()).toEqual({
    receivedRecords: 15,
    sealedRecords: 10,
    dropped: [
      { reason: 'spool_full', exporter: '192.0.2.1', records: 3 },
      { reason: 'spool_full', exporter: '2001:db8::1', records: 2 },
    ],
  });
});
