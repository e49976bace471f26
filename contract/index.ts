export * from './columns.ts';
export * from './ledger.ts';
export * from './rings.ts';
