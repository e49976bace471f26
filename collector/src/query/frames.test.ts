import fc from 'fast-check';
import { largestRemainder, quantity } from './frames.ts';

test('5.10 shares at one decimal add up to 100.0 exactly and are never off by a tenth', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 50 }), { minLength: 1, maxLength: 200 }), (parts) => {
      const total = parts.reduce((sum, part) => sum + part, 0);
      const shares = largestRemainder(parts, total);
      expect(shares.reduce((sum, share) => sum + Math.round(share * 10), 0)).toBe(total === 0 ? 0 : 1000);
      shares.forEach((share, index) =>
        expect(Math.abs(share - (total === 0 ? 0 : ((parts[index] as number) / total) * 100))).toBeLessThan(0.1 + 1e-9),
      );
    }),
    { seed: 20_261_121 },
  );
});

test('bytes become bits in rates only', () => {
  expect([
    quantity(600, 'bytes', 'rate', 60),
    quantity(600, 'packets', 'rate', 60),
    quantity(600, 'bytes', 'total', 60),
    quantity(600, 'flows', 'rate', 0),
  ]).toEqual([80, 10, 600, 0]);
});
