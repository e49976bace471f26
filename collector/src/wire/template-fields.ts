/** One field of a template: element number, enterprise (0 = IANA, and always in NetFlow v9: L14), bytes on the wire. */
export interface TemplateField {
  readonly pen: number;
  readonly id: number;
  readonly length: number;
}

/** Field length that announces a length byte in front of each value (RFC 7011 7; seen in NetFlow v9 too: L08). */
export const VARIABLE_LENGTH = 65_535;

/** Numbers of 16 bits that one field takes in a key: enterprise (two), element, length. */
const KEY_WORDS = 4;

/**
 * Text that is equal exactly for templates of the same fields; it is also how a template keeps its fields, since objects
 * take ten times the memory (X02).
 */
export function layoutKey(fields: readonly TemplateField[]): string {
  const words: number[] = [];
  for (const { pen, id, length } of fields) words.push(pen >>> 16, pen & 0xffff, id, length);
  return String.fromCharCode(...words);
}

/** The fields that a key was made of. */
export function fieldsOfKey(key: string): TemplateField[] {
  return Array.from({ length: key.length / KEY_WORDS }, (_, i): TemplateField => {
    const word = (n: number): number => key.charCodeAt(i * KEY_WORDS + n);
    return { pen: word(0) * 65_536 + word(1), id: word(2), length: word(3) };
  });
}
