import { nameId, type DataFrameJson, type FlowQueryInput, type Resolution } from '@ringflow/contract';
import { NAMES, createTestServer, type TestServer } from '../http/testing/server.ts';
import { consolidatePeaks } from '../store/peaks.ts';
import { createRandom } from '../store/testing/batches.ts';
import type { TestRow } from '../query/testing/store.ts';
import { QUERY_DEFAULTS, type RunQuery } from '../query/index.ts';
import { createHistory, FAMILIES, HISTORY_DEFAULTS, MEASURES, type HistoryConfig } from './index.ts';
import {
  decodeFrames,
  decodeReadResponse,
  encodeReadRequest,
  matcher,
  type Asked,
  type ReadSeries,
} from './testing/remote-read.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const BEGIN = Date.UTC(2026, 2, 10);
const END = BEGIN + 30 * HOUR;
const OFFICE = nameId('office');
const NESTED = nameId('campus,office');
const SERVICES = { https: ['tcp/443', 'udp/443'], dns: ['udp/53'] };
const WATCHES = { guests: 'src_network = office', web: 'service = tcp/443', port: 'src_port = 53' };

/** Names of the sample: two networks, one inside the other. */
const SAMPLE_NAMES = {
  ...NAMES,
  named: (kind: string, id: number) =>
    kind === 'network' ? ({ [OFFICE]: 'office', [NESTED]: 'campus,office' } as Record<number, string>)[id] : undefined,
  idsWhere: (kind: string, matches: (name: string) => boolean) =>
    kind !== 'network'
      ? []
      : [...(matches('office') ? [OFFICE] : []), ...(matches('office') || matches('campus') ? [NESTED] : [])],
};

let server: TestServer;
let config: HistoryConfig;
let run: RunQuery;
let ended: string[] = [];

beforeAll(async () => {
  config = { ...HISTORY_DEFAULTS };
  const live = {
    get max_series() {
      return config.max_series;
    },
    get max_samples() {
      return config.max_samples;
    },
    get concurrency() {
      return config.concurrency;
    },
  };
  const history = createHistory(live, {
    query: QUERY_DEFAULTS,
    run: (statement, options) => run(statement, options),
    names: SAMPLE_NAMES,
    oldest: () => Object.fromEntries(server.store.tables().map(({ table, oldestMs }) => [table, oldestMs])),
    configured: () => ({ services: SERVICES, watches: WATCHES, filterOptions: {} }),
    now: () => END + 25 * HOUR,
    ended: (outcome) => ended.push(outcome),
  });
  server = await createTestServer(END + 25 * HOUR, { token: 'secret' }, {}, { history, names: SAMPLE_NAMES });
  const random = createRandom(7);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  await server.store.insert(
    Array.from({ length: 2000 }, (): TestRow => {
      const endMs = BEGIN + 10_000 + Math.floor(random() * (END - BEGIN - 10_000));
      const [proto, port] = pick([
        [6, 443],
        [17, 53],
        [6, 80],
        [17, 443],
        [1, 0],
      ] as const);
      return {
        startMs: Math.max(BEGIN, endMs - Math.floor(random() * 10 * MINUTE)),
        endMs,
        bytes: Math.floor(random() * 1e7),
        packets: 1 + Math.floor(random() * 1000),
        sampling_rate: pick([0, 1, 100]),
        sampler_address: pick(['::ffff:192.0.2.1', '::ffff:192.0.2.2', '2001:db8::9']),
        in_if: pick([1, 2, 3]),
        out_if: pick([0, 2, 7]),
        proto,
        service: proto * 65_536 + port,
        direction: pick([0, 1, 2]),
        src_as: pick([0, 64_500, 64_501]),
        dst_as: pick([0, 15_169]),
        src_network: pick([0, OFFICE, NESTED]),
        dst_network: 0,
        dup: pick([0, 0, 0, 1]),
      };
    }),
  );
  while ((await consolidatePeaks(server.store.engine, END + 25 * HOUR)).more);
}, 240_000);
afterAll(() => server.close());
beforeEach(() => {
  config = { ...HISTORY_DEFAULTS };
  run = (statement, options) => server.store.engine.query(statement, options);
  ended = [];
});

function post(body: Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.url}/api/v1/prometheus/read`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'accept-encoding': 'snappy',
      'x-prometheus-remote-read-version': '0.1.0',
      authorization: 'Bearer secret',
      ...headers,
    },
    body: body as Uint8Array<ArrayBuffer>,
  });
}

async function read(matchers: readonly string[], asked: Partial<Asked> = {}): Promise<ReadSeries[]> {
  const query = {
    startMs: BEGIN,
    endMs: END,
    matchers: matchers.map(matcher),
    hints: { rangeMs: END - BEGIN },
    ...asked,
  };
  const response = await post(encodeReadRequest([query]));
  const body = new Uint8Array(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(Buffer.from(body).toString());
  return decodeReadResponse(body)[0] ?? [];
}

/** What the query API says, by the values of the groups. */
async function ask(query: FlowQueryInput, resolution: Resolution['name']): Promise<Map<string, number[]>> {
  const intervalMs = resolution === '1h' ? HOUR : MINUTE;
  const frames: DataFrameJson[] = await server.store.ask(
    { kind: 'timeseries', limit: 200, other: false, intervalMs, maxDataPoints: 5000, ...query } as FlowQueryInput,
    BEGIN,
    END,
    { names: SAMPLE_NAMES },
  );
  return new Map(
    frames.flatMap(({ schema, data }) =>
      schema.fields.flatMap((field, index) =>
        field.type === 'number'
          ? [[Object.values(field.labels ?? {}).join(' '), data.values[index] as number[]] as const]
          : [],
      ),
    ),
  );
}

const byLabels = (series: readonly ReadSeries[], ...labels: string[]) =>
  new Map(
    series.map((one) => [labels.map((label) => one.labels[label]).join(' '), one.samples.map(([, value]) => value)]),
  );

function expectSame(got: Map<string, number[]>, wanted: Map<string, number[]>): void {
  expect([...got.keys()].sort()).toEqual([...wanted.keys()].sort());
  for (const [key, values] of wanted) {
    const mine = got.get(key) ?? [];
    expect(mine).toHaveLength(values.length);
    values.forEach((value, at) => expect(mine[at]).toBeCloseTo(value, 5));
  }
}

const HOURLY = '__resolution__=1h';
const MINUTES = '__resolution__=1m';

describe('every bucket is what the query API says', () => {
  test.each([
    ['exporter', ['exporter'], { groupBy: ['sampler_address'] }],
    ['protocol', ['protocol'], { groupBy: ['proto'] }],
  ] as const)('%s', async (family, labels, query) => {
    for (const [suffix, metric] of [
      ['bits', 'bytes'],
      ['packets', 'packets'],
      ['flow_records', 'flows'],
    ] as const) {
      const series = await read([`__name__=ringflow_history_${family}_${suffix}_per_second`, HOURLY]);
      expectSame(
        byLabels(series, ...labels),
        await ask({ ...query, groupBy: [...query.groupBy], metric, resolution: '1h' }, '1h'),
      );
    }
  });

  test('interfaces, both directions, by the minute', async () => {
    const series = await read(['__name__=ringflow_history_bits_per_second', MINUTES, 'direction=in']);
    expectSame(
      byLabels(series, 'exporter', 'interface'),
      await ask({ groupBy: ['sampler_address', 'in_if'], resolution: '1m' }, '1m'),
    );
    const out = await read([
      '__name__=ringflow_history_bits_per_second',
      HOURLY,
      'direction=out',
      'exporter=192.0.2.1',
    ]);
    expectSame(
      byLabels(out, 'interface'),
      await ask({ groupBy: ['out_if'], filter: 'exporter = 192.0.2.1', resolution: '1h' }, '1h'),
    );
  });

  test('services by their names, everything else as other', async () => {
    const got = byLabels(await read(['__name__=ringflow_history_service_bits_per_second', HOURLY]), 'service');
    const all = await ask({ groupBy: [], resolution: '1h' }, '1h');
    const https = await ask({ groupBy: [], filter: 'service in (tcp/443, udp/443)', resolution: '1h' }, '1h');
    const dns = await ask({ groupBy: [], filter: 'service = udp/53', resolution: '1h' }, '1h');
    const [total = [], secure = [], names = []] = [all, https, dns].map((one) => [...one.values()][0] ?? []);
    expectSame(
      got,
      new Map([
        ['https', secure],
        ['dns', names],
        ['other', total.map((value, at) => value - (secure[at] ?? 0) - (names[at] ?? 0))],
      ]),
    );
  });

  test('directions, AS by side, networks by their members, watches', async () => {
    const direction = byLabels(
      await read(['__name__=ringflow_history_direction_packets_per_second', HOURLY]),
      'direction',
    );
    expect([...direction.keys()]).toEqual(['in', 'out', 'unknown']);
    const as = byLabels(await read(['__name__=ringflow_history_as_bits_per_second', HOURLY, 'as!=0']), 'side', 'as');
    expect([...as.keys()].sort()).toEqual(['dst 15169', 'src 64500', 'src 64501']);
    const [wanted] = (await ask({ groupBy: [], filter: 'src_as = 64500', resolution: '1h' }, '1h')).values();
    expectSame(new Map([['', as.get('src 64500') ?? []]]), new Map([['', wanted ?? []]]));

    const networks = byLabels(
      await read(['__name__=ringflow_history_network_bits_per_second', HOURLY]),
      'side',
      'network',
    );
    expect([...networks.keys()].sort()).toEqual(['src campus', 'src office']);
    const [office] = (await ask({ groupBy: [], filter: 'src_network = office', resolution: '1h' }, '1h')).values();
    expectSame(new Map([['', networks.get('src office') ?? []]]), new Map([['', office ?? []]]));

    // No ring has source ports: that watch has no history.
    const watches = byLabels(await read(['__name__=ringflow_history_watch_bits_per_second', HOURLY]), 'watch');
    expect([...watches.keys()]).toEqual(['guests', 'web']);
    expectSame(new Map([['', watches.get('guests') ?? []]]), new Map([['', office ?? []]]));
  });

  test('means over the whole time are the totals', async () => {
    const [series] = await read(['__name__=ringflow_history_exporter_bits_per_second', HOURLY, 'exporter=192.0.2.2']);
    const frames = await server.store.ask(
      { kind: 'stat', filter: 'exporter = 192.0.2.2', measure: 'rate' },
      BEGIN,
      END,
    );
    const stat = frames[0]?.schema.fields.findIndex(({ name }) => name === 'bps') ?? -1;
    const values = series?.samples.map(([, value]) => value) ?? [];
    expect(values).toHaveLength(30);
    expect(values.reduce((sum, value) => sum + value, 0) / 30).toBeCloseTo(
      Number(frames[0]?.data.values[stat]?.[0]),
      5,
    );
  });
});

describe('peaks', () => {
  const NAME = '__name__=ringflow_history_peak_bits_per_second';

  test('are the busiest minute at every resolution, with minutes and without', async () => {
    const minutes = byLabels(
      await read(['__name__=ringflow_history_bits_per_second', MINUTES]),
      'exporter',
      'interface',
      'direction',
    );
    const highest = (values: readonly number[], from: number, to: number) => Math.max(...values.slice(from, to));
    const hours = byLabels(await read([NAME, HOURLY]), 'exporter', 'interface', 'direction');
    expect(hours.size).toBe(18);
    for (const [key, values] of hours)
      values.forEach((value, hour) =>
        expect(value).toBeCloseTo(highest(minutes.get(key) ?? [], hour * 60, hour * 60 + 60), 5),
      );
  });

  test('beyond the minutes come from the cells: never less, and exact where a series is one cell', async () => {
    const labels = ['exporter', 'interface', 'direction'];
    const exact = byLabels(await read([NAME, HOURLY]), ...labels);
    const real = server.store.tables;
    try {
      server.store.tables = () =>
        real().map((table) => (table.table === 'rings_1m' ? { ...table, oldestMs: BEGIN + 10 * HOUR } : table));
      const statements: string[] = [];
      run = (statement, options) => {
        statements.push(statement.sql);
        return server.store.engine.query(statement, options);
      };
      const cells = byLabels(await read([NAME, HOURLY]), ...labels);
      expect(statements.some((text) => text.includes('peak_bytes'))).toBe(true);
      for (const [key, values] of exact)
        values.forEach((value, hour) => {
          const got = cells.get(key)?.[hour] ?? 0;
          if (hour >= 10) expect(got).toBeCloseTo(value, 5);
          // Duplicates are a cell of their own.
          else expect(got).toBeGreaterThanOrEqual(value - 1e-6);
        });
      const once = await read(['__name__=ringflow_history_watch_peak_bits_per_second', HOURLY]);
      expect(once).toHaveLength(2);
    } finally {
      server.store.tables = real;
    }
  });
});

describe('matchers', () => {
  test.each([
    ['exporter=192.0.2.1'],
    ['exporter=~192.0.2.1|2001:db8::9'],
    ['exporter=~192\\..*'],
    ['exporter!=192.0.2.1'],
    ['exporter!~192.*'],
    ['interface=3', 'direction=in'],
    ['interface=~2|7'],
    ['interface!~[0-6]', 'direction!=in'],
    ['exporter=not an address'],
    ['interface=99999999999'],
    ['interface='],
    ['job='],
  ])('leave exactly what they match: %s %s', async (...given) => {
    const all = await read(['__name__=ringflow_history_bits_per_second', HOURLY]);
    const wanted = all.filter(({ labels }) =>
      given.map(matcher).every(({ name, type, value }) => {
        const text = labels[name] ?? '';
        const regex = new RegExp(`^(?:${value})$`);
        return { '=': text === value, '!=': text !== value, '=~': regex.test(text), '!~': !regex.test(text) }[type];
      }),
    );
    expect(await read(['__name__=ringflow_history_bits_per_second', HOURLY, ...given])).toEqual(wanted);
  });

  test('equality reaches the engine as a parameter', async () => {
    const statements: { sql: string; params: unknown }[] = [];
    run = (statement, options) => {
      statements.push(statement);
      return server.store.engine.query(statement, options);
    };
    await read(['__name__=ringflow_history_service_bits_per_second', "service=~dns|x'; DROP TABLE flows --"]);
    await read(['__name__=ringflow_history_exporter_bits_per_second', 'exporter=192.0.2.1']);
    expect(statements.map(({ sql }) => sql).join()).not.toContain('DROP');
    expect(JSON.stringify(statements.at(-1)?.params)).toContain('192.0.2.1');
  });

  test('names by a regular expression, in the order of their labels', async () => {
    const series = await read(['__name__=~ringflow_history_(protocol|exporter)_(bits|packets)_per_second', HOURLY]);
    const keys = series.map(({ labels }) => `${labels['__name__']} ${labels['exporter'] ?? labels['protocol']}`);
    expect(keys).toHaveLength(2 * 3 + 2 * 3);
    expect(keys).toEqual([...keys].sort());
  });

  test('what is not the history costs no query', async () => {
    run = () => Promise.reject(new Error('asked'));
    for (const given of [['__name__=up'], ['job=x'], ['__name__=ringflow_history_bits_per_second', 'site=a']])
      expect(await read(given)).toEqual([]);
  });

  test('every gauge that is documented is there', async () => {
    const names = new Set(
      (await read(['__name__=~ringflow_.+', '__resolution__=1d'])).map(({ labels }) => labels['__name__']),
    );
    for (const { prefix } of FAMILIES) for (const { suffix } of MEASURES) expect(names).toContain(prefix + suffix);
    expect(names).toContain('ringflow_history_interface_info');
  });
});

test('names of interfaces are there at all times', async () => {
  const [info] = await read(['__name__=ringflow_history_interface_info', HOURLY]);
  expect(info?.labels).toEqual({
    __name__: 'ringflow_history_interface_info',
    exporter: '192.0.2.1',
    interface: '3',
    name: 'Gi0/3',
    description: 'uplink',
  });
  expect(new Set(info?.samples.map(([, value]) => value))).toEqual(new Set([1]));
});

test('who asks for series gets their labels', async () => {
  const series = await read(['__name__=ringflow_history_exporter_bits_per_second'], { hints: { func: 'series' } });
  expect(series.map(({ labels, samples }) => [labels['exporter'], samples.length])).toEqual([
    ['192.0.2.1', 0],
    ['192.0.2.2', 0],
    ['2001:db8::9', 0],
  ]);
});

test('streamed chunks hold the same samples, in the order of queries', async () => {
  const queries = ['ringflow_history_bits_per_second', 'ringflow_history_peak_packets_per_second'].map((name) => ({
    startMs: BEGIN,
    endMs: END,
    matchers: [matcher(`__name__=${name}`), matcher(MINUTES)],
    hints: { rangeMs: END - BEGIN },
  }));
  const plain = await post(encodeReadRequest(queries));
  const streamed = await post(encodeReadRequest(queries, [1, 0]));
  expect([plain.status, plain.headers.get('content-type'), plain.headers.get('content-encoding')]).toEqual([
    200,
    'application/x-protobuf',
    'snappy',
  ]);
  expect([streamed.status, streamed.headers.get('content-type'), streamed.headers.get('content-encoding')]).toEqual([
    200,
    'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse',
    null,
  ]);
  const wanted = decodeReadResponse(new Uint8Array(await plain.arrayBuffer()));
  const frames = decodeFrames(new Uint8Array(await streamed.arrayBuffer()));
  expect(wanted.map(({ length }) => length)).toEqual([18, 18]);
  for (const query of [0, 1])
    expect(frames.filter((frame) => frame.query === query).map(({ series }) => ({ ...series, chunks: [] }))).toEqual(
      wanted[query],
    );
  expect(ended).toEqual(['ok', 'ok']);
});

describe('what is too much or wrong is a clear error', () => {
  const all = {
    startMs: BEGIN,
    endMs: END,
    matchers: [matcher('__name__=ringflow_history_bits_per_second'), matcher(MINUTES)],
  };
  const errorOf = async (body: Uint8Array, headers: Record<string, string> = {}) => {
    const response = await post(body, headers);
    return { status: response.status, ...((await response.json()) as { code: string; message: string; hint: string }) };
  };

  test('too many series, too many samples', async () => {
    config = { ...config, max_series: 17 };
    expect(await errorOf(encodeReadRequest([all]))).toEqual({
      status: 400,
      code: 'query_invalid',
      message: 'The selector has more than 17 series',
      hint: 'Narrow the selector by its labels, or raise history.max_series',
    });
    config = { ...config, max_series: 18, max_samples: 32_000 };
    expect(await errorOf(encodeReadRequest([all], [1]))).toMatchObject({
      status: 400,
      message: 'The selector has 32400 samples (18 series of 1800, 1m), more than the 32000 that are left',
    });
    expect(ended).toEqual(['error', 'error']);
  });

  test('bodies that are no request', async () => {
    expect(await errorOf(new Uint8Array())).toMatchObject({
      status: 400,
      message: 'The body is not a snappy block: it ends within its length',
    });
    expect(await errorOf(Uint8Array.from([4, 1, 2]))).toMatchObject({
      status: 400,
      message: expect.stringMatching(/^The body is not a snappy block: /),
    });
    expect(await errorOf(Uint8Array.from([0xff, 0xff, 0xff, 0x7f, 1]))).toMatchObject({
      status: 413,
      code: 'body_too_large',
    });
    expect(await errorOf(new Uint8Array(2 ** 20 + 1))).toMatchObject({ status: 413 });
    expect(
      await errorOf(
        encodeReadRequest([
          { ...all, matchers: [matcher('__name__=ringflow_history_bits_per_second'), matcher('exporter=~(')] },
        ]),
      ),
    ).toMatchObject({
      status: 400,
      message: expect.stringMatching(/^The matcher of exporter cannot be read/),
    });
    expect(
      await errorOf(
        encodeReadRequest([
          { ...all, matchers: [matcher('__name__=~ringflow_history.*'), matcher('__resolution__=2m')] },
        ]),
      ),
    ).toMatchObject({
      status: 400,
      hint: 'Write __resolution__ as one of 1m, 5m, 1h, 1d',
    });
  });

  test('without the token nothing is read', async () => {
    expect(await errorOf(encodeReadRequest([all]), { authorization: 'Bearer wrong' })).toMatchObject({ status: 401 });
    expect(ended).toEqual([]);
  });

  test('an engine that fails before the answer is an error, after its beginning a broken stream', async () => {
    run = () =>
      Promise.reject(Object.assign(new Error('The store is not there right now'), { code: 'store_unavailable' }));
    expect(await errorOf(encodeReadRequest([all], [1]))).toMatchObject({ status: 503, code: 'store_unavailable' });
    // Four statements find the series of two queries, two read the values of the first one.
    let asked = 0;
    run = (statement, options) =>
      ++asked <= 6 ? server.store.engine.query(statement, options) : Promise.reject(new Error('gone'));
    const begun = await post(encodeReadRequest([all, all], [1]));
    expect(begun.status).toBe(200);
    await expect(begun.arrayBuffer()).rejects.toThrow();
    expect(ended).toEqual(['error', 'error']);
  });

  test('a caller that goes away stops its query and gives its turn back', async () => {
    config = { ...config, concurrency: 1 };
    const caller = new AbortController();
    const stopped = new Promise<void>((resolve) => {
      run = (_statement, { signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => {
            resolve();
            reject(new Error('cancelled'));
          });
          caller.abort();
        });
    });
    const request = encodeReadRequest([all]);
    await expect(
      fetch(`${server.url}/api/v1/prometheus/read`, {
        method: 'POST',
        headers: { 'content-encoding': 'snappy', authorization: 'Bearer secret' },
        body: request as Uint8Array<ArrayBuffer>,
        signal: caller.signal,
      }),
    ).rejects.toThrow();
    await stopped;
    run = (statement, options) => server.store.engine.query(statement, options);
    expect(await read(['__name__=ringflow_history_exporter_bits_per_second', HOURLY])).toHaveLength(3);
    expect(ended).toEqual(['cancelled', 'ok']);
  });
});
