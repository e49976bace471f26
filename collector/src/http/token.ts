import { createHash, timingSafeEqual } from 'node:crypto';

const digest = (text: string): Uint8Array => new Uint8Array(createHash('sha256').update(text).digest());

/**
 * Tells whether an `Authorization` header carries the token. Digests are compared, in constant time, so that neither
 * content nor length of the token can be found out by timing. An empty token lets everybody in.
 *
 * @param current the token of now; it may change
 * @param basic take it as the password of `Basic`, too, whoever the user is
 */
export function createTokenCheck(current: () => string, basic = false): (header: string | undefined) => boolean {
  let token = current();
  let expected = digest(token);
  return (header) => {
    if (current() !== token) {
      token = current();
      expected = digest(token);
    }
    if (token === '') return true;
    const given = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? (basic ? passwordOf(header ?? '') : undefined);
    return timingSafeEqual(digest(given ?? ''), expected) && given !== undefined;
  };
}

function passwordOf(header: string): string | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/_-]+=*) *$/i.exec(header)?.[1];
  return encoded === undefined ? undefined : /^[^:]*:([^]*)$/.exec(Buffer.from(encoded, 'base64').toString())?.[1];
}
