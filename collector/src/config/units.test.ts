import { formatBytes, unitOfKey } from './units.ts';

test('a key names its unit', () => {
  expect(unitOfKey('max_bytes_per_template')?.parse('10GiB')).toBe(10 * 2 ** 30);
  expect(unitOfKey('max_age_seconds')?.parse('5m')).toBe(300);
  expect(unitOfKey('timeout_ms')?.parse('5s')).toBe(5000);
  expect(unitOfKey('max_bytes')?.parse('10 parsecs')).toBeNull();
  expect(unitOfKey('listen')).toBeUndefined();
});

test('what is formatted is parsed back to the same value', () => {
  for (const [key, values] of [
    ['max_bytes', [1, 1000, 1024, 12_345, 10 * 2 ** 30, 3 * 2 ** 40]],
    ['max_age_seconds', [1, 90, 5400, 86_400 * 400]],
    ['timeout_ms', [1, 1500, 60_000]],
  ] as const) {
    const unit = unitOfKey(key);
    for (const value of values) expect(unit?.parse(unit.format(value))).toBe(value);
  }
  expect(formatBytes(10 * 2 ** 30)).toBe('10GiB');
});
