/** Label value of everything that came after the bound was reached. */
export const OVERFLOW_LABEL = 'other';

/**
 * Lets the first `limit` keys through and answers `other` for the rest, so that a flood of made-up exporters or
 * interfaces cannot grow `/metrics` without end.
 */
export function createBoundedLabels(limit: () => number): { admit(key: string): boolean; readonly size: number } {
  const known = new Set<string>();
  return {
    admit: (key) => {
      if (known.has(key)) return true;
      if (known.size >= limit()) return false;
      known.add(key);
      return true;
    },
    get size() {
      return known.size;
    },
  };
}
