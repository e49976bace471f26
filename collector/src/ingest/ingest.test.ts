import { COLUMNS } from '@ringflow/contract';
import { createIngest, type Delivery, type Receipt } from './ingest.ts';

const STORED = COLUMNS.filter(({ stored }) => stored);
const body = (...records: object[]): Uint8Array => new TextEncoder().encode(JSON.stringify(records));

/** An inlet that answers when it is told to. */
function slowInlet(): { deliver(delivery: Delivery): Promise<Receipt>; answer(): void; deliveries: Delivery[] } {
  const waiting: (() => void)[] = [];
  const deliveries: Delivery[] = [];
  return {
    deliveries,
    deliver: (delivery) => {
      deliveries.push(delivery);
      return new Promise((resolve) => {
        waiting.push(() => resolve({ repeated: 0, stored: delivery.rows.rows, dropped: delivery.unusable.length }));
      });
    },
    answer: () => waiting.splice(0).forEach((finish) => finish()),
  };
}

test('what waits to be written is bounded', async () => {
  const inlet = slowInlet();
  const ingest = createIngest(
    { max_records: 10, max_waiting_bytes: 100 },
    { columns: STORED, ...inlet, now: Date.now },
  );
  const first = ingest.take(body({ bytes: 1, src_addr: '10.0.0.1', dst_addr: '10.0.0.2' }), null);
  const second = ingest.take(body({ bytes: 2 }), null);
  await expect(ingest.take(body({ bytes: 3, src_addr: '10.0.0.1' }), null)).rejects.toMatchObject({
    code: 'ingest_busy',
    status: 429,
  });
  expect(ingest.status()).toMatchObject({ batches: { refused: 1 }, waitingBytes: 70 });
  inlet.answer();
  expect(await Promise.all([first, second])).toMatchObject([{ stored: 1 }, { stored: 1 }]);
  // A body alone may be longer than the bound: it would never be taken otherwise.
  const long = ingest.take(body(...Array.from({ length: 10 }, (_, index) => ({ bytes: index }))), null);
  inlet.answer();
  expect(await long).toMatchObject({ stored: 10 });
  expect(ingest.status()).toMatchObject({ batches: { taken: 3 }, records: { stored: 12 }, waitingBytes: 0 });
});

test('more records than one request may have are refused whole', async () => {
  const inlet = slowInlet();
  const ingest = createIngest({ max_records: 2, max_waiting_bytes: 1e6 }, { columns: STORED, ...inlet, now: Date.now });
  await expect(ingest.take(body({ bytes: 1 }, { bytes: 2 }, { bytes: 3 }), null)).rejects.toMatchObject({
    code: 'ingest_invalid',
    message: 'More than 2 records',
  });
  expect(inlet.deliveries).toEqual([]);
  await expect(ingest.take(body({ bytes: 4 }, { bytes: 5, src_addr: 'x' }), null)).rejects.toMatchObject({
    message: 'Record 1, src_addr: "x" is no address',
  });
  // Nothing of a refused body is left in the rows of the next one.
  const next = ingest.take(body({ packets: 7, bytes: 0 }, { packets: 8 }), null);
  inlet.answer();
  expect(await next).toMatchObject({ stored: 2 });
  const [{ rows }] = inlet.deliveries as [Delivery];
  const bytes = COLUMNS.findIndex(({ name }) => name === 'bytes');
  expect([
    rows.rows,
    rows.columns.some(({ index, data }) => index === bytes && data.some((word) => word !== 0)),
  ]).toEqual([2, false]);
});
