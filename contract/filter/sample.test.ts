import { parseFilter } from './parser.ts';
import { sampleFilter } from './sample.ts';
import { readStructure } from './structure.ts';

describe('sampleFilter', () => {
  it.each([
    'src_addr in ($host, 10.0.0.1)',
    'proto = $proto and service = ${service}',
    'direction = $d and in_if_name like "$x%"',
    '$q',
    'bytes > 1k and ($q or port = 80)',
    '$field = 3',
    'time_flow_start_ns > $t and duration < $d and flags has $f and dst_country = $c and bytes between $a and $b',
  ])('%s can be checked', (text) => {
    expect(parseFilter(sampleFilter(text).text).error).toBeUndefined();
  });

  it('leads back to the place of a mistake', () => {
    const text = 'src_addr in (${a_long_name}) and dst_addr in ($b) and bogus = 1';
    const { text: sampled, originalOffset } = sampleFilter(text);
    const { error } = parseFilter(sampled);
    expect(error?.code).toBe('filter_unknown_field');
    expect(originalOffset(error?.position.offset ?? 0)).toBe(text.indexOf('bogus'));
  });
});

describe('a filter that is being written', () => {
  it.each([
    ['src_addr in ($host) and ', 'src_addr in (192.0.2.1) and '],
    ['src_addr in ($host, ', 'src_addr in (192.0.2.1, '],
    ['$q and dst_port = ', 'bytes >= 0 and dst_port = '],
    ['src_addr = $a and exporter_name = "ed', 'src_addr = 192.0.2.1 and exporter_name = "ed'],
  ])('%s', (text, expected) => {
    expect(sampleFilter(text).text).toBe(expected);
  });
});

describe('readStructure', () => {
  it('reads conditions as they are written', () => {
    const text = 'src_addr NOT IN (10.0.0.0/8, $net) and name_x = "a\\"b"';
    expect(readStructure(text)).toMatchObject({
      kind: 'and',
      items: [
        {
          field: { text: 'src_addr' },
          operator: 'not in',
          values: [{ text: '10.0.0.0/8' }, { text: '$net' }],
          list: true,
        },
        { field: { text: 'name_x' }, operator: '=', values: [{ text: 'a"b', quoted: true }], list: false },
      ],
    });
  });

  it.each(['src_addr in (1', '(', 'a = 1 b', 'a =', 'and', 'a in ("x'])('%s is not built', (text) => {
    expect(readStructure(text)).toBeUndefined();
  });
});
