import { createHash } from 'node:crypto';

/** Bytes of a link: chance does not find two chains that meet in 128 bits. */
export const LINK_BYTES = 16;

/** Before the first record. */
export const CHAIN_START: Uint8Array = new Uint8Array(LINK_BYTES);

/**
 * What stands for all records up to one: the hash of the text of the record and of the link before it. Whoever holds a
 * link can tell whether another sequence of records begins with the same ones.
 */
export function nextLink(before: Uint8Array, record: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(before).update(record).digest().subarray(0, LINK_BYTES));
}

export function formatLink(link: Uint8Array): string {
  return Array.from(link, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Null for what is no link. */
export function parseLink(text: string): Uint8Array | null {
  if (!/^[0-9a-f]{32}$/.test(text)) return null;
  return Uint8Array.from(text.match(/../g) as string[], (digits) => Number.parseInt(digits, 16));
}
