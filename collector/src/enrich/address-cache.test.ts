import { addressWords, parseAddress } from '@ringflow/contract';
import { createAddressCache, type AddressCache } from './address-cache.ts';

const wordsOf = (text: string): Uint32Array => addressWords(parseAddress(text) as Uint8Array);
const nth = (n: number): Uint32Array => Uint32Array.of(0, 0, 0xffff_0000, n);

/** Asks for one address; says where its words are and whether they are those of another one. */
function ask(cache: AddressCache, words: Uint32Array, at = 0): { place: number; missed: boolean } {
  const guesses = new Int32Array(1);
  cache.guess(words, at / 4, 1, guesses);
  const place = cache.findGuessed(words, at, guesses[0] as number);
  return { place, missed: cache.missed };
}

test('an address keeps its words, others have other ones', () => {
  const cache = createAddressCache(1024, 2);
  const one = ask(cache, wordsOf('192.0.2.1'));
  expect(one.missed).toBe(true);
  cache.values.set([7, 8], one.place);
  const two = ask(cache, Uint32Array.from([9, 9, 9, 9, ...wordsOf('2001:db8::1')]), 4);
  expect(two.missed).toBe(true);
  cache.values.set([3, 4], two.place);
  expect(ask(cache, wordsOf('192.0.2.1'))).toEqual({ place: one.place, missed: false });
  expect(cache.find(wordsOf('192.0.2.1'), 0)).toBe(one.place);
  expect([...cache.values.subarray(one.place, one.place + 2)]).toEqual([7, 8]);
  expect([cache.hits, cache.misses]).toEqual([2, 2]);
  cache.clear();
  expect(ask(cache, wordsOf('192.0.2.1')).missed).toBe(true);
});

test('the address of no bits is one like the others', () => {
  const cache = createAddressCache(4, 1);
  expect(ask(cache, new Uint32Array(4)).missed).toBe(true);
  expect(ask(cache, new Uint32Array(4)).missed).toBe(false);
});

test('a place holds the words of one address only, whatever comes, and however old the guess is', () => {
  const cache = createAddressCache(64, 1);
  const guesses = new Int32Array(50);
  let seed = 1;
  let wrong = 0;
  for (let i = 0; i < 4000; i++) {
    const words = new Uint32Array(50 * 4);
    for (let row = 0; row < 50; row++) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      words.set(nth((seed >>> 8) % 200), row * 4);
    }
    cache.guess(words, 0, 50, guesses);
    for (let row = 0; row < 50; row++) {
      const place = cache.findGuessed(words, row * 4, guesses[row] as number);
      if (cache.missed) cache.values[place] = words[row * 4 + 3] as number;
      if (cache.values[place] !== words[row * 4 + 3]) wrong++;
    }
  }
  expect(wrong).toBe(0);
  expect(cache.hits + cache.misses).toBe(200_000);
  expect(cache.hits).toBeGreaterThan(40_000);
});

test('addresses that are asked for again and again survive a flood of others', () => {
  const cache = createAddressCache(4096, 1);
  const steady = Array.from({ length: 400 }, (_, n) => nth(n));
  for (const words of steady) ask(cache, words);
  let missed = 0;
  for (let i = 0; i < 100_000; i++) {
    ask(cache, nth(1_000_000 + i));
    if (ask(cache, steady[i % steady.length] as Uint32Array).missed) missed++;
  }
  expect(missed).toBeLessThan(1000);
});

test('it is as large as asked for', () => {
  expect(() => createAddressCache(1000, 1)).toThrow('1000 slots are not a power of two');
});
