import { parseConfig, type Composition } from './load.ts';

const composition: Composition = {
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      data_dir: { type: 'string' },
      inlet: {
        type: 'object',
        additionalProperties: false,
        properties: {
          listen: { type: 'array', items: { type: 'string' } },
          receive_buffer_bytes: { type: 'integer', minimum: 1, description: 'Buffer' },
          receiver: { enum: ['auto', 'dgram'] },
        },
      },
      wire: {
        type: 'object',
        additionalProperties: false,
        properties: { max_age_seconds: { type: 'integer', minimum: 1 } },
      },
      metrics: {
        type: 'object',
        additionalProperties: false,
        properties: { watches: { type: 'object', additionalProperties: { type: 'string' } } },
      },
    },
  },
  defaults: {
    data_dir: './data',
    inlet: { listen: ['2055'], receive_buffer_bytes: 1024, receiver: 'auto' },
    wire: { max_age_seconds: 60 },
    metrics: { watches: {} },
  },
  aliases: { RINGFLOW_DATA: 'data_dir' },
  reserved: ['RINGFLOW_CONFIG'],
};

const parse = (text: string, env: Record<string, string> = {}) =>
  parseConfig({ file: { name: 'ringflow.yml', text }, env }, composition);

describe('parseConfig', () => {
  test('an empty file and no environment are the defaults', () => {
    expect(parse('')).toEqual({ value: composition.defaults, problems: [], origins: new Map() });
    expect(parseConfig({ env: {} }, composition).value).toEqual(composition.defaults);
  });

  test('sizes and durations take the unit of their key', () => {
    const { value, problems } = parse('inlet:\n  receive_buffer_bytes: 10MiB\nwire: {max_age_seconds: 5m}\n');
    expect(problems).toEqual([]);
    expect(value).toMatchObject({
      inlet: { receive_buffer_bytes: 10 * 2 ** 20, listen: ['2055'] },
      wire: { max_age_seconds: 300 },
    });
  });

  test('the environment wins over the file, which wins over the defaults', () => {
    const { value, problems, origins } = parse('data_dir: /srv/a\ninlet:\n  listen: ["1"]\n', {
      RINGFLOW_DATA: '/srv/b',
      RINGFLOW_INLET_LISTEN: '[::]:2055, 6343',
      RINGFLOW_WIRE_MAX_AGE_SECONDS: '2h',
      RINGFLOW_METRICS_WATCHES: '{dns: "dst_port = 53"}',
      RINGFLOW_CONFIG: 'ringflow.yml',
      PATH: '/bin',
    });
    expect(problems).toEqual([]);
    expect(value).toMatchObject({
      data_dir: '/srv/b',
      inlet: { listen: ['[::]:2055', '6343'] },
      wire: { max_age_seconds: 7200 },
      metrics: { watches: { dns: 'dst_port = 53' } },
    });
    expect(origins.get('data_dir')).toBe('RINGFLOW_DATA');
  });

  test('all problems come at once, each with line, key and what to write', () => {
    const { problems } = parse(
      [
        'inlet:',
        '  listn: ["2055"]',
        '  receive_buffer_bytes: 10XB',
        '  receiver: fast',
        'wire:',
        '  max_age_seconds: 0',
        'metrics:',
        '  watches: {dns: 53}',
        '',
      ].join('\n'),
      { RINGFLOW_INLET_LISTN: '1', RINGFLOW_WIRE_MAX_AGE_SECONDS: 'x' },
    );
    expect(problems).toEqual([
      {
        key: 'inlet.listn',
        source: 'ringflow.yml',
        line: 2,
        column: 3,
        message: 'Unknown key "listn"',
        hint: 'Write listen',
      },
      {
        key: 'inlet.receive_buffer_bytes',
        source: 'ringflow.yml',
        line: 3,
        column: 3,
        message: '"10XB" is not a size',
        hint: 'Write a number with a unit, for example 10GiB',
      },
      {
        key: 'inlet.receiver',
        source: 'ringflow.yml',
        line: 4,
        column: 3,
        message: 'Not one of the possible values',
        hint: 'Write one of: auto, dgram',
      },
      { key: 'metrics.watches.dns', source: 'ringflow.yml', line: 8, column: 13, message: 'Must be of type string' },
      {
        key: '',
        source: 'RINGFLOW_INLET_LISTN',
        message: 'No setting belongs to this environment variable',
        hint: 'Write RINGFLOW_INLET_LISTEN',
      },
      {
        key: 'wire.max_age_seconds',
        source: 'RINGFLOW_WIRE_MAX_AGE_SECONDS',
        message: '"x" is not a duration',
        hint: 'Write a number with a unit, for example 5m',
      },
    ]);
  });

  test.each([
    ['data_dir: [', 'Not YAML'],
    ['- a\n- b\n', 'The file must hold keys and values'],
    ['data_dir: a\ndata_dir: b\n', 'Not YAML'],
  ])('%j is answered with a place', (text, message) => {
    const { problems } = parse(text);
    expect(problems[0]?.message).toContain(message);
    expect(problems[0]?.line).toBeGreaterThan(0);
  });
});
