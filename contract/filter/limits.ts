/**
 * Bounds of a filter: characters, levels of nesting, conditions, values of one list (named sets included). What goes
 * beyond is an error, not a crash.
 */
export const FILTER_LIMITS = { length: 16_384, depth: 64, conditions: 1_000, values: 20_000 } as const;
