import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFolder, startCollector, until, type RunningCollector } from '../collector/src/cli/testing/collector.ts';
import { decodeFrames, encodeReadRequest, matcher } from '../collector/src/history/testing/remote-read.ts';
import { encodeXorChunk } from '../collector/src/history/xor-chunk.ts';
import { documentedBlocks, ROOT } from './testing/documented.ts';
import { freeTcpPort } from './testing/ports.ts';
import { describeWith, startProgram, type RunningProgram } from './testing/programs.ts';

const PAGE = 'docs/how-to/prometheus-history.md';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A Prometheus on a port of its own. */
async function startPrometheus(
  folder: string,
  configuration: string,
): Promise<{ url: string; program: RunningProgram }> {
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, configuration);
  const port = await freeTcpPort();
  const url = `http://127.0.0.1:${port}`;
  const program = startProgram(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${folder}/tsdb`,
      '--storage.tsdb.retention.time=100y',
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    folder,
    400_000,
  );
  await until(async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok, 30_000, program.output);
  return { url, program };
}

describeWith(['prometheus', 'promtool'], 'history, read by a real Prometheus', () => {
  let folder: ReturnType<typeof createFolder>;
  let collector: RunningCollector;
  let prometheus: Awaited<ReturnType<typeof startPrometheus>>;

  type Result = { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] }[];
  const ask = async (
    path: string,
    parameters: Record<string, string>,
  ): Promise<{ result: Result; warnings: string[] }> => {
    const response = await fetch(`${prometheus.url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const {
      data,
      warnings = [],
      error,
    } = (await response.json()) as {
      data?: { result: Result };
      warnings?: string[];
      error?: string;
    };
    if (error !== undefined) throw new Error(error);
    return { result: data?.result ?? [], warnings };
  };
  const instant = async (query: string, atMs: number) =>
    (await ask('query', { query, time: String(atMs / 1000) })).result;
  const byLabel = (result: Result, ...labels: string[]) =>
    new Map(result.map(({ metric, value }) => [labels.map((label) => metric[label]).join(' '), Number(value?.[1])]));

  /** What a table says, by the values of its groups. */
  async function table(groupBy: string[], measure: 'rate' | 'peak', field: string, fromMs: number, toMs: number) {
    // Minutes, because coarser buckets may know no more of a peak than what it cannot exceed.
    const answer = await collector.query(
      { kind: 'table', groupBy, measure, limit: 1000, other: false, resolution: '1m' },
      fromMs,
      toMs,
    );
    if (answer.error !== undefined) throw new Error(answer.error);
    const frame = answer.frames[0];
    const column = (name: string) =>
      frame?.data.values[frame.schema.fields.findIndex((one) => one.name === name)] ?? [];
    const values = column(field) as number[];
    return new Map(
      values.map((value, row) => [groupBy.map((name) => String(column(name)[row])).join(' '), value] as const),
    );
  }

  function expectClose(got: Map<string, number>, wanted: Map<string, number>): void {
    expect(wanted.size).toBeGreaterThan(1);
    expect([...got.keys()].sort()).toEqual([...wanted.keys()].sort());
    for (const [key, value] of wanted) expect(Math.abs((got.get(key) ?? NaN) / value - 1)).toBeLessThan(1e-9);
  }

  /** An hour that nothing is added to any more: it ended before the longest flow that is still under way began. */
  let endMs = 0;

  beforeAll(async () => {
    folder = createFolder(
      'demo: {history_hours: 3, history_days: 0, flows_per_second: 60, history_flows_per_minute: 90}\nmetrics: {watches: {dns: "service = udp/53"}}\n',
    );
    collector = await startCollector(folder.path, 'demo');
    endMs = Math.floor((Date.now() - 40 * MINUTE) / (5 * MINUTE)) * 5 * MINUTE;
    const snippet = documentedBlocks(PAGE).get('remote-read') ?? '';
    prometheus = await startPrometheus(folder.path, snippet.replace('127.0.0.1:8055', new URL(collector.url).host));
    await until(
      async () => {
        const records = Number(/Filled in the last .*: (\d+) flow records/.exec(collector.output())?.[1]);
        const { ledger, store } = await collector.status();
        const minutesMs = store.tables.find(({ table }) => table === 'rings_1m')?.oldestMs ?? Infinity;
        return ledger.stored >= records && minutesMs <= endMs - 2 * HOUR;
      },
      240_000,
      () => `the history is stored:\n${collector.output().slice(-2000)}`,
    );
  }, 300_000);
  afterAll(async () => {
    prometheus?.program.kill('SIGTERM');
    await prometheus?.program.ended.catch(() => undefined);
    collector?.kill('SIGTERM');
    await collector?.exited;
    folder?.remove();
  });

  test('avg_over_time is the rate of the query API', async () => {
    const startMs = endMs - HOUR;
    expectClose(
      byLabel(await instant('avg_over_time(ringflow_history_exporter_bits_per_second[1h])', endMs), 'exporter'),
      await table(['sampler_address'], 'rate', 'bps', startMs, endMs),
    );
    const inbound = await instant('avg_over_time(ringflow_history_bits_per_second{direction="in"}[1h])', endMs);
    expectClose(
      byLabel(inbound, 'exporter', 'interface'),
      await table(['sampler_address', 'in_if'], 'rate', 'bps', startMs, endMs),
    );
    expectClose(
      byLabel(await instant('avg_over_time(ringflow_history_protocol_packets_per_second[1h])', endMs), 'protocol'),
      await table(['proto'], 'rate', 'pps', startMs, endMs),
    );
  });

  test('max_over_time of peaks is the peak of the query API, at any resolution', async () => {
    const wanted = await table(['sampler_address', 'in_if'], 'peak', 'peak_bps', endMs - HOUR, endMs);
    for (const resolution of ['1m', '5m']) {
      const query = `max_over_time(ringflow_history_peak_bits_per_second{direction="in",__resolution__="${resolution}"}[1h])`;
      expectClose(byLabel(await instant(query, endMs), 'exporter', 'interface'), wanted);
    }
  });

  test('a graph has a point at every step, rules and joins see it as any other series', async () => {
    const { result } = await ask('query_range', {
      query: 'sum(ringflow_history_exporter_bits_per_second)',
      start: String((endMs - HOUR) / 1000),
      end: String(endMs / 1000),
      step: '60',
    });
    expect(result[0]?.values).toHaveLength(61);
    expect(result[0]?.values?.every(([, value]) => Number(value) > 0)).toBe(true);
    const named = await instant(
      'ringflow_history_bits_per_second * on (exporter, interface) group_left (name) ringflow_history_interface_info',
      endMs,
    );
    expect(named.some(({ metric }) => (metric['name'] ?? '') !== '')).toBe(true);
    expect(await instant('count(ringflow_history_watch_bits_per_second{watch="dns"})', endMs)).toMatchObject([
      { value: [endMs / 1000, '1'] },
    ]);
    const series = (await (
      await fetch(
        `${prometheus.url}/api/v1/series?${new URLSearchParams({ 'match[]': 'ringflow_history_exporter_bits_per_second', start: String((endMs - HOUR) / 1000), end: String(endMs / 1000) })}`,
      )
    ).json()) as { data: Record<string, string>[] };
    expect(series.data.length).toBeGreaterThan(1);
  });

  test('too much is said in words, and the rest of the answer is there', async () => {
    const { warnings } = await ask('query', {
      query: 'count({__name__=~"ringflow_history_.*",__resolution__="1m",exporter=~"("})',
      time: String(endMs / 1000),
    }).catch((error: Error) => ({ warnings: [error.message] }));
    expect(warnings.join()).toMatch(/error parsing regexp|cannot be read/);
    const many = await ask('query', {
      query: 'count(ringflow_history_bits_per_second{__resolution__="2m"})',
      time: String(endMs / 1000),
    });
    expect(many.warnings.join()).toContain('There is no resolution');
    expect(await instant('vector(1)', endMs)).toHaveLength(1);
  });

  test('the documented commands answer', () => {
    const commands = (documentedBlocks(PAGE).get('ask') ?? 'false').replaceAll('http://127.0.0.1:9090', prometheus.url);
    const { status, stdout, stderr } = spawnSync('bash', ['-ec', commands], { cwd: ROOT, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/\{exporter="[^"]+"\} => \d/);
    expect(stdout).toMatch(/\{direction="in", exporter="[^"]+", interface="\d+"\} => \d/);
  });
});

describeWith(['prometheus', 'promtool'], "Prometheus's own chunks", () => {
  test('are those that we make of the same samples, bit for bit, in the same frames', async () => {
    const folder = createFolder();
    let program: RunningProgram | undefined;
    try {
      const begin = Date.UTC(2026, 2, 10);
      const shapes: Record<string, (index: number) => number> = {
        flat: () => 12_340_000,
        counting: (index) => index * 8,
        fractions: (index) => Math.sin(index) * 1e9,
        zeros: (index) => (index % 7 === 0 ? index / 60 : 0),
        tiny: (index) => (index % 2 === 0 ? Number.MIN_VALUE : -Number.MAX_VALUE / (index + 1)),
      };
      // Regular, and with gaps of every length that the encoding tells apart.
      const gaps = (index: number): number => [0, 1, 9000, 70_000, 600_000, 40_000_000][index % 6] as number;
      const series = Object.entries(shapes).map(([shape, valueOf], at) => {
        let time = begin;
        return {
          shape,
          samples: Array.from(
            { length: 500 },
            (_, index) => [(time += MINUTE + (at % 2 === 0 ? 0 : gaps(index))), valueOf(index)] as const,
          ),
        };
      });
      const lines = series.flatMap(({ shape, samples }) =>
        samples.map(([time, value]) => `probe{shape="${shape}"} ${value} ${(time / 1000).toFixed(3)}`),
      );
      const file = join(folder.path, 'samples.om');
      writeFileSync(file, `# TYPE probe gauge\n${lines.join('\n')}\n# EOF\n`);
      mkdirSync(join(folder.path, 'tsdb'));
      const made = spawnSync(
        'promtool',
        ['tsdb', 'create-blocks-from', 'openmetrics', '--max-block-duration=8760h', file, join(folder.path, 'tsdb')],
        { encoding: 'utf8' },
      );
      expect(made.status).toBe(0);
      const started = await startPrometheus(folder.path, 'global: {}\n');
      program = started.program;
      const body = encodeReadRequest(
        [{ startMs: begin, endMs: begin + 8760 * HOUR, matchers: [matcher('__name__=probe')] }],
        [1],
      );
      const response = await fetch(`${started.url}/api/v1/read`, {
        method: 'POST',
        headers: { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' },
        body: body as Uint8Array<ArrayBuffer>,
      });
      const read = decodeFrames(new Uint8Array(await response.arrayBuffer())).map((frame) => frame.series);
      expect(response.headers.get('content-type')).toBe(
        'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse',
      );
      expect(read.map(({ labels }) => labels['shape'])).toEqual(Object.keys(shapes).sort());
      for (const { labels, samples, chunks } of read) {
        expect(samples).toEqual(series.find(({ shape }) => shape === labels['shape'])?.samples);
        const times = Float64Array.from(samples, ([time]) => time);
        const values = Float64Array.from(samples, ([, value]) => value);
        let at = 0;
        for (const chunk of chunks) {
          const length = ((chunk.data[0] as number) << 8) | (chunk.data[1] as number);
          const ours = encodeXorChunk(times, values, at, at + length);
          expect({ ...ours, data: Buffer.from(ours.data).toString('hex') }).toEqual({
            ...chunk,
            data: Buffer.from(chunk.data).toString('hex'),
          });
          at += length;
        }
        expect(at).toBe(samples.length);
      }
    } finally {
      program?.kill('SIGTERM');
      await program?.ended.catch(() => undefined);
      folder.remove();
    }
  }, 120_000);
});

test('the configuration that is shipped says the same as the page', () => {
  const shipped = readFileSync(join(ROOT, 'provisioning/prometheus/prometheus.yml'), 'utf8');
  const snippet = documentedBlocks(PAGE).get('remote-read') ?? '';
  const settings = snippet.split('\n').filter((line) => line !== '' && !/^\s*#/.test(line));
  const commented = shipped.split('\n').map((line) => line.replace(/^# ?/, ''));
  expect(settings.filter((line) => !commented.includes(line))).toEqual([]);
});
