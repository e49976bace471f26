import { createObjectReader, ObjectError, parseObject } from './object-reader.ts';

/** What is found in a text that comes in pieces of `size` bytes. */
function objectsOf(text: string, size = text.length): string[] {
  const found: string[] = [];
  const reader = createObjectReader((bytes) => found.push(new TextDecoder().decode(bytes)));
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
  reader.end();
  return found;
}

const OBJECTS = ['{"a":1}', '{"b":"}{][\\"\\\\","c":[{"d":[1,2]}]}', '{}', '{"ü":"é\\u0000"}'];

test.each([
  ['an array', `[${OBJECTS.join(',')}]`],
  ['lines', `${OBJECTS.join('\n')}\n`],
  ['lines with commas', `${OBJECTS.join(',\r\n')},\n`],
  ['a pretty array', `[\n${OBJECTS.join('\n,\n\t')}\n]\n`],
  ['arrays in a row', `[${OBJECTS.slice(0, 2).join(',')}]\n[${OBJECTS.slice(2).join(',')}]`],
])('objects in %s, in pieces of any size', (_, text) => {
  for (const size of [1, 2, 3, 7, 1000]) expect(objectsOf(text, size)).toEqual(OBJECTS);
});

test('what is no sequence of objects is an error, what is empty is not', () => {
  for (const [text, message] of [
    ['{"a":1', 'ends inside an object'],
    ['[{"a":1}', 'ends before the array'],
    ['[1]', 'not "1"'],
    ['nonsense', 'not "n"'],
    ['{"a":1}]', 'not "]"'],
    [`{"a":"${'x'.repeat(1024 * 1024)}`, 'longer than'],
  ]) {
    expect(() => objectsOf(text as string, 65_536)).toThrow(ObjectError);
    expect(() => objectsOf(text as string, 65_536)).toThrow(message);
  }
  for (const text of ['', '[]', '\n\n', '[ ]\n']) expect(objectsOf(text)).toEqual([]);
});

test('integers that a number cannot hold stay exact, digits in strings stay what they are', () => {
  expect(
    parseObject(
      '{"t":1795248773250211345,"n":-9007199254740993,"f":1.2345678901234567890,"s":"a 1795248773250211345","k\\"1":12}',
    ),
  ).toEqual({
    t: '1795248773250211345',
    n: '-9007199254740993',
    f: Number('1.2345678901234567890'),
    s: 'a 1795248773250211345',
    'k"1': 12,
  });
  expect(parseObject('{"t": -1795248773250211345 ,"s":":1795248773250211345,","k\\\\":1795248773250211345}')).toEqual({
    t: '-1795248773250211345',
    s: ':1795248773250211345,',
    'k\\': '1795248773250211345',
  });
  expect(() => parseObject('{"a":1795248773250211345,}')).toThrow(SyntaxError);
});
