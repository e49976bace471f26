import { COLUMNS } from '@ringflow/contract';
import fc from 'fast-check';
import { type Batch, createBatch } from './batch.ts';
import { readCell } from './cells.ts';
import { compileLayout, writeSource } from './compile.ts';
import { interpretLayout } from './interpret.ts';
import { createLayout } from './layout.ts';
import { type TemplateField, VARIABLE_LENGTH } from './template-fields.ts';
import { createRecordContext, setClock } from './times.ts';

/** Every element that a column or a rule reads, and some that nothing does. */
const ELEMENTS: readonly { pen: number; id: number }[] = [
  ...COLUMNS.flatMap((column) => column.elements),
  ...[150, 151, 152, 153, 154, 155, 156, 157, 158, 159, 160, 161, 162, 21, 22, 322, 323, 324, 325].map((id) => ({
    pen: 0,
    id,
  })),
  ...[32, 139, 195, 34, 48, 50, 302, 305, 306, 309, 310, 311, 60, 210, 999].map((id) => ({ pen: 0, id })),
  ...[1, 2, 5, 6, 85, 86].map((id) => ({ pen: 29_305, id })),
  { pen: 9, id: 12_236 },
  { pen: 6871, id: 33 },
];

const field: fc.Arbitrary<TemplateField> = fc
  .tuple(
    fc.constantFrom(...ELEMENTS),
    fc.oneof(
      fc.constantFrom(0, 1, 2, 3, 4, 6, 8, 16, 16, 4),
      fc.integer({ min: 0, max: 20 }),
      fc.constant(VARIABLE_LENGTH),
    ),
  )
  .map(([element, length]) => ({ ...element, length }));

function contents(batch: Batch): unknown[] {
  const rows: unknown[] = [];
  for (let row = 0; row < batch.rows; row++) rows.push(COLUMNS.map((_, index) => readCell(batch, index, row)));
  return rows;
}

/** Kinds: anything, mostly zero, small numbers, long runs of zero (an unused address family). */
function randomBytes(seed: number, length: number, kind: number): Uint8Array {
  let state = seed | 0;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state >>> 24;
  };
  return Uint8Array.from({ length }, (_, i) => {
    const byte = next();
    if (kind === 1 && i % 3 !== 0) return 0;
    if (kind === 2) return byte & 3;
    if (kind === 3 && (Math.floor(i / 24) + seed) % 2 === 0) return 0;
    return byte;
  });
}

test('generated code and the plain twin agree on random layouts and bytes', () => {
  const clock = { max_ahead_seconds: 300, max_behind_seconds: 86_400, max_lead_seconds: 86_400 };
  const kept = new Uint8Array(COLUMNS.length).fill(1);
  const made = [
    createBatch({ rowLimit: 64, columns: COLUMNS }),
    createBatch({ rowLimit: 64, columns: COLUMNS }),
  ] as const;
  let written = 0;
  fc.assert(
    fc.property(
      fc.array(field, { minLength: 1, maxLength: 24 }),
      fc.integer(),
      fc.integer({ min: 1, max: 1200 }),
      fc.constantFrom(0, 1, 2, 3),
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.boolean(),
      (fields, seed, length, kind, uptime, known) => {
        const layout = createLayout(fields);
        if (layout.minLength === 0) return;
        const bytes = randomBytes(seed, length, kind);
        for (const part of [layout, layout.reverse]) {
          if (!part) continue;
          const results = [compileLayout, interpretLayout].map((make, i) => {
            const batch = made[i] as Batch;
            for (const data of batch.data) data?.fill(0, 0, 4096);
            batch.arenaLength = 0;
            batch.wordsLength = 0;
            const context = createRecordContext(clock);
            setClock(context, 1_700_000_000_000, known ? 123 : 0, known ? uptime : -1, 1_700_000_000_500);
            const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
            const count = part.segments.length === 1 ? Math.min(64, Math.floor(bytes.length / part.minLength)) : 64;
            batch.rows = make(part, kept)(view, bytes, 0, bytes.length, count, batch, 0, context);
            return {
              rows: contents(batch),
              next: context.next,
              malformed: context.malformed,
              samplers: [...context.samplerIds.subarray(0, batch.rows)],
            };
          });
          expect(results[0]).toEqual(results[1]);
          written += results[0]?.rows.length ?? 0;
        }
      },
    ),
    { numRuns: 1500, seed: 20_261_121 },
  );
  expect(written).toBeGreaterThan(1500);
});

test('generated source holds integers and names of its own only', () => {
  const layout = createLayout([
    { pen: 0, id: 8, length: 4 },
    { pen: 0, id: 1, length: 8 },
    { pen: 0, id: 96, length: VARIABLE_LENGTH },
    { pen: 0, id: 22, length: 4 },
    { pen: 0, id: 21, length: 4 },
  ]);
  const source = writeSource(layout, new Uint8Array(COLUMNS.length).fill(1));
  expect(source).not.toMatch(/["`\\]/);
  expect(source).toMatch(/^function \(view, bytes, from, end, count, batch, row, context\) \{/);
});
