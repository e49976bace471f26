import { compileMatchers } from './matchers.ts';
import { matcher } from './testing/remote-read.ts';

const [compile, texts] = [
  (text: string) => compileMatchers([matcher(text)])[0],
  (text: string) => compileMatchers([matcher(text)])[0]?.values,
];

test('matchers mean what they mean in PromQL: anchored, and a label that is not there is empty', () => {
  const cases: [string, string, boolean][] = [
    ['a=x', 'x', true],
    ['a=x', 'xx', false],
    ['a=', '', true],
    ['a!=x', '', true],
    ['a!=x', 'x', false],
    ['a=~x', 'xx', false],
    ['a=~x|y.*', 'yes', true],
    ['a=~x|y.*', 'xes', false],
    ['a=~(?i)EDGE\\d', 'edge7', true],
    ['a=~(?i)EDGE\\d|core', 'CORE', true],
    ['a=~(?i)EDGE\\d', 'myedge7', false],
    ['a=~.*', '', true],
    ['a=~.+', '', false],
    ['a!~x|y', 'z', true],
    ['a!~x|y', 'y', false],
  ];
  for (const [text, value, expected] of cases)
    expect([text, value, compile(text)?.matches(value)]).toEqual([text, value, expected]);
});

test('a list of texts is known as one, so that the engine can look it up', () => {
  expect(texts('a=x')).toEqual(['x']);
  expect(texts('a=~x|yz')).toEqual(['x', 'yz']);
  expect(texts('a=~(192\\.0\\.2\\.1|192\\.0\\.2\\.2)')).toEqual(['192.0.2.1', '192.0.2.2']);
  expect(texts('a=~Gi0/(1|2)|')).toEqual(['Gi0/1', 'Gi0/2', '']);
  for (const text of ['a=~x.', 'a=~x*', 'a=~[ab]', 'a=~(?i)x', 'a=~^x$', 'a!=x', 'a!~x'])
    expect([text, texts(text)]).toEqual([text, null]);
  expect(texts(`a=~${'(0|1|2|3|4|5|6|7|8|9)'.repeat(6)}`)).toBeNull();
});

test('a regular expression that cannot be read is refused with its label and place', () => {
  expect(() => compile('exporter=~a(b')).toThrow(/^The matcher of exporter cannot be read: .* at character/);
  expect(() => compile('exporter=~(?=a)')).toThrow('The matcher of exporter');
});

test('a hostile regular expression takes time by its length, not for ever', () => {
  expect(compile('a=~(a+)+b')?.matches('a'.repeat(5000))).toBe(false);
});
