import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RESOLUTIONS, RINGS } from '@ringflow/contract';
import { describeWith, fetchRows, rrdtool } from '../rrd/testing/rrdtool.ts';
import { createEngine, loadScores, STORE_DEFAULTS, type Engine } from '../store/index.ts';
import { runCommandLine } from './index.ts';

const STEP = 300;
/** Long enough for all archives of a file to be in use: 24 days. */
const COUNT = 24 * 288;
/** Not at the beginning of a day. */
const START = 1_700_000_100 - (1_700_000_100 % STEP);
const END = START + COUNT * STEP;

const CONFIG = `Subnet 10.0.0.0/8
Network 10.1.0.0/24 web
Router 192.0.2.1 fred
Router 192.0.2.2 barney
Service 80/tcp http
Service 53/udp,53/tcp dns
Protocol 6 tcp
Protocol 17 udp
TOS 0 normal
TOS 8-9 low
ASNumber 64500,64501 lab
Scoreboard 10 /www/scoreboard /www/topten.html
AggregateScore 10 /var/agg.dat /www/overall.html
`;

/** Counters of one step: in and out by bytes, packets, flows. */
type Counters = readonly [number, number, number, number, number, number];
const random = (step: number, salt: number): number => ((step * 2_654_435_761 + salt * 40_503) >>> 7) % 1000;
const times = (counters: Counters, share: number): Counters =>
  counters.map((value) => Math.floor(value * share)) as unknown as Counters;
const plus = (...all: Counters[]): Counters =>
  all[0]!.map((_, at) => all.reduce((sum, one) => sum + (one[at] as number), 0)) as unknown as Counters;

function routerAt(step: number, salt: number): Counters {
  const bytes = 3_000_000 + random(step, salt) * 3000;
  return [bytes, bytes / 100, bytes / 1000, bytes * 2, bytes / 50, bytes / 500].map(Math.floor) as unknown as Counters;
}

const CUFLOW_ORDER = ['in_bytes', 'out_bytes', 'in_pkts', 'out_pkts', 'in_flows', 'out_flows'];
const NETWORK_ORDER = ['in_bytes', 'in_pkts', 'in_flows', 'out_bytes', 'out_pkts', 'out_flows'];
const OURS = ['in_bytes', 'in_pkts', 'in_flows', 'out_bytes', 'out_pkts', 'out_flows'];
/** CUFlow's archives with fewer rows (semantics 2.3): 10 hours, 2.5 days, 10 days, 5 years. */
const FINE_ROWS = 120;
const RRAS = [1, 6, 24]
  .map((steps) => `AVERAGE:0:${steps}:${FINE_ROWS}`)
  .concat('AVERAGE:0:288:1827', `MAX:0:24:${FINE_ROWS}`, 'MAX:0:288:1827');

describeWith(['rrdtool'], 'ringflow migrate', () => {
  let folder: string;
  let rrds: string;

  /** A file as CUFlow makes it. */
  function createFile(path: string, order: readonly string[], at: (step: number) => Counters): void {
    const file = join(rrds, path);
    rrdtool(
      'create',
      file,
      '--start',
      `${START}`,
      '--step',
      '300',
      ...order.map((name) => `DS:${name}:ABSOLUTE:400:U:U`),
      ...RRAS.map((rra) => `RRA:${rra}`),
    );
    const lines: string[] = [];
    for (let step = 0; step < COUNT; step++) {
      // Two days in which nobody counted.
      if (step > 15 * 288 && step < 16 * 288) continue;
      const counters = at(step);
      lines.push(
        `update ${file} ${START + (step + 1) * STEP}:${order.map((name) => counters[OURS.indexOf(name)]).join(':')}`,
      );
    }
    execFileSync('rrdtool', ['-'], { input: `${lines.join('\n')}\n`, maxBuffer: 1e9 });
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ringflow-migrate-'));
    rrds = join(folder, 'rrd');
    for (const name of ['fred', 'barney']) mkdirSync(join(rrds, name), { recursive: true });
    const fred = (step: number) => routerAt(step, 1);
    const barney = (step: number) => routerAt(step, 2);
    const other = (step: number) => times(routerAt(step, 3), 0.1);
    const all = (step: number) => plus(fred(step), barney(step), other(step));
    for (const [where, at] of [
      ['', all],
      ['fred/', fred],
      ['barney/', barney],
    ] as const) {
      createFile(`${where}total.rrd`, CUFLOW_ORDER, at);
      createFile(`${where}protocol_tcp.rrd`, CUFLOW_ORDER, (step) => times(at(step), 0.7));
      createFile(`${where}service_http_src.rrd`, CUFLOW_ORDER, (step) => times(at(step), 0.2));
      createFile(`${where}service_http_dst.rrd`, CUFLOW_ORDER, (step) => times(at(step), 0.3));
    }
    createFile('tos_low.rrd', CUFLOW_ORDER, (step) => times(all(step), 0.25));
    createFile('as_lab.rrd', CUFLOW_ORDER, (step) => times(all(step), 0.4));
    createFile('network_web.rrd', NETWORK_ORDER, (step) => times(all(step), 0.6));
    createFile('service_unknown_src.rrd', CUFLOW_ORDER, (step) => times(all(step), 0.01));
    writeFileSync(join(folder, 'CUFlow.cf'), CONFIG);
    writeFileSync(join(folder, 'ringflow.yml'), `data_dir: ${join(folder, 'data')}\nlog: {level: error}\n`);
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function line(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
    let [out, err] = ['', ''];
    const code = await runCommandLine(argv, { out: (text) => void (out += text), err: (text) => void (err += text) });
    return { code, out, err };
  }

  const migrate = (...more: string[]) =>
    line(
      'migrate',
      'cuflow',
      '--config',
      join(folder, 'CUFlow.cf'),
      '--ringflow',
      join(folder, 'ringflow.yml'),
      ...more,
    );

  async function inStore<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    const engine = createEngine(STORE_DEFAULTS, join(folder, 'data', 'store'));
    await engine.open();
    try {
      return await work(engine);
    } finally {
      await engine.close();
    }
  }

  interface Sum {
    readonly ring: number;
    readonly bytes: number;
    readonly packets: number;
    readonly flows: number;
  }
  const ringId = (wanted: string): number => RINGS.find(({ name }) => name === wanted)!.id;

  describe('history of CUFlow', () => {
    test('is read first, and nothing is changed, when asked for', async () => {
      const { code, err } = await migrate('--rrd', rrds, '--dry-run');
      expect(code).toBe(0);
      expect(err).toContain('service_unknown_src.rrd: CUFlow.cf does not say what unknown is; left out');
      expect(err).toContain('16 files');
      await inStore(async (engine) => {
        expect(await engine.select('SELECT count() AS rows FROM rings_1d')).toEqual([{ rows: 0 }]);
      });
    });

    test('comes into the rings: every ring has the same sums at every resolution, and the values of the files', async () => {
      const { code, err } = await migrate('--rrd', rrds);
      expect(err).not.toContain('ringflow:');
      expect(code).toBe(0);
      await inStore(async (engine) => {
        const begins: Record<string, number> = {};
        for (const { table } of RESOLUTIONS.slice(1)) {
          const [row] = await engine.select<{ begin: number }>(
            `SELECT toUnixTimestamp(min(bucket)) AS begin FROM ${table}`,
          );
          begins[table] = row!.begin;
        }
        // 2.5 days, 10 days, and as far as there is anything.
        expect(begins['rings_5m']! % 3600).toBe(0);
        expect(END - begins['rings_5m']!).toBeGreaterThan(2.4 * 86_400);
        expect(begins['rings_1h']! % 86_400).toBe(0);
        expect(END - begins['rings_1h']!).toBeGreaterThan(8.9 * 86_400);
        expect(begins['rings_1d']).toBe(Math.floor(START / 86_400) * 86_400 + 86_400);
        // From where a finer table begins on, a coarser one has the same in it.
        for (const [coarse, fine] of [
          ['rings_1h', 'rings_5m'],
          ['rings_1d', 'rings_1h'],
        ] as const) {
          const sums = (table: string) =>
            engine.select<Sum>(
              `SELECT ring, sum(bytes) AS bytes, sum(packets) AS packets, sum(flows) AS flows FROM ${table} WHERE bucket >= toDateTime(${begins[fine]}, 'UTC') GROUP BY ring ORDER BY ring`,
            );
          expect(await sums(coarse)).toEqual(await sums(fine));
        }
        const whole = await engine.select<Sum>(
          'SELECT ring, sum(bytes) AS bytes, sum(packets) AS packets, sum(flows) AS flows FROM rings_1d GROUP BY ring ORDER BY ring',
        );
        expect(whole.map(({ ring }) => ring)).toEqual(RINGS.map(({ id }) => id).sort((a, b) => a - b));
        for (const { ring, ...sums } of whole)
          expect({ ring, ...sums }).toEqual({
            ring,
            ...sums,
            bytes: whole[0]!.bytes,
            packets: whole[0]!.packets,
            flows: whole[0]!.flows,
          });
        // rrdtool is the judge: the sum of its rows.
        const judge = (file: string, column: number): number => {
          let sum = 0;
          const add = (seconds: number, from: number, to: number): void => {
            for (const [end, values] of fetchRows(join(rrds, file), 'AVERAGE', seconds, from, to - 1))
              if (end > from && end <= to && !Number.isNaN(values[column]))
                sum += Math.round(values[column]! * seconds);
          };
          add(86_400, begins['rings_1d']! - 86_400, begins['rings_1h']!);
          add(7200, begins['rings_1h']!, begins['rings_5m']!);
          const fine = Math.ceil((END - FINE_ROWS * STEP) / 1800) * 1800;
          add(1800, begins['rings_5m']!, fine);
          add(300, fine, END);
          return sum;
        };
        const bytesOf = async (where: string): Promise<number> =>
          (await engine.select<{ bytes: number }>(`SELECT sum(bytes) AS bytes FROM rings_1d WHERE ${where}`))[0]!.bytes;
        const near = (found: number, wanted: number): void =>
          expect(Math.abs(found - wanted)).toBeLessThanOrEqual(wanted * 1e-8);
        near(whole[0]!.bytes, judge('total.rrd', 0) + judge('total.rrd', 1));
        near(await bytesOf(`ring = ${ringId('direction')} AND direction = 1`), judge('total.rrd', 0));
        near(
          await bytesOf(`ring = ${ringId('exporter')} AND sampler_address = toIPv6('192.0.2.1')`),
          judge('fred/total.rrd', 0) + judge('fred/total.rrd', 1),
        );
        near(
          await bytesOf(`ring = ${ringId('service')} AND service = ${6 * 65_536 + 80}`),
          [0, 1].reduce((sum, way) => sum + judge('service_http_src.rrd', way) + judge('service_http_dst.rrd', way), 0),
        );
        near(
          await bytesOf(`ring = ${ringId('service')} AND proto = 6`),
          judge('protocol_tcp.rrd', 0) + judge('protocol_tcp.rrd', 1),
        );
        near(await bytesOf(`ring = ${ringId('tos')} AND ip_tos = 8 AND direction = 2`), judge('tos_low.rrd', 1));
        near(await bytesOf(`ring = ${ringId('as')} AND src_as = 64500`), judge('as_lab.rrd', 0));
        near(await bytesOf(`ring = ${ringId('as')} AND dst_as = 64500`), judge('as_lab.rrd', 1));
        // The order of network files differs.
        near(await bytesOf(`ring = ${ringId('network_service')} AND dst_network != 0`), judge('network_web.rrd', 0));
        near(await bytesOf(`ring = ${ringId('network_service')} AND src_network != 0`), judge('network_web.rrd', 3));
        const [name] = await engine.select<{ name: string }>("SELECT name FROM names WHERE kind = 'network'");
        expect(name).toEqual({ name: 'web' });
        // A day's peak is the busiest five minutes of it, per minute, also where only days are left.
        const day = begins['rings_1d']! + 3 * 86_400;
        const [peak] = await engine.select<{ peak: number }>(
          `SELECT max(peak_bytes) AS peak FROM rings_1d WHERE ring = ${ringId('direction')} AND direction = 2 AND sampler_address = toIPv6('192.0.2.1') AND bucket = toDateTime(${day}, 'UTC')`,
        );
        const max = fetchRows(join(rrds, 'fred/total.rrd'), 'MAX', 86_400, day, day + 86_399).get(day + 86_400)![1]!;
        expect(peak!.peak).toBe(Math.round(max * 60));
      });
    });

    test('is taken once', async () => {
      const before = await inStore((engine) => engine.select('SELECT sum(bytes) AS bytes FROM rings_5m'));
      const { code, err } = await migrate('--rrd', rrds);
      expect(code).toBe(2);
      expect(err).toMatch(/ringflow: The history up to .* came on .*: nothing is taken twice\n {2}For another site/);
      expect(await inStore((engine) => engine.select('SELECT sum(bytes) AS bytes FROM rings_5m'))).toEqual(before);
    });

    test('that was cut off in the middle is not doubled by the next try', async () => {
      const sums = () =>
        inStore((engine) =>
          engine.select('SELECT ring, sum(bytes) AS bytes FROM rings_1d GROUP BY ring ORDER BY ring'),
        );
      const before = await sums();
      await inStore((engine) =>
        engine.exec(
          "INSERT INTO ring_imports SELECT name, from, to, at + 1, 0 FROM ring_imports WHERE name = 'cuflow main'",
        ),
      );
      expect((await migrate('--rrd', rrds)).code).toBe(0);
      expect(await sums()).toEqual(before);
    });
  });

  test('scores of AggregateScore are taken once', async () => {
    const file = join(folder, 'agg.dat');
    writeFileSync(file, '12\n10.0.0.1 3 300 30 6 600 60 12\n10.0.0.2 1 5 5 5 5 5 5\n');
    expect((await migrate('--agg', file)).err).toBe(`${file}: 2 hosts of 12 reports\n`);
    const state = await inStore(loadScores);
    expect(state).toEqual({
      untilMs: 0,
      reports: 12,
      hosts: [
        {
          address: '10.0.0.1',
          count: 3,
          inBytes: 300,
          inPackets: 30,
          inFlows: 6,
          outBytes: 600,
          outPackets: 60,
          outFlows: 12,
        },
        {
          address: '10.0.0.2',
          count: 1,
          inBytes: 5,
          inPackets: 5,
          inFlows: 5,
          outBytes: 5,
          outPackets: 5,
          outFlows: 5,
        },
      ],
    });
    expect((await migrate('--agg', file)).code).toBe(2);
    expect(await inStore(loadScores)).toEqual(state);
    writeFileSync(file, '12\n10.0.0.1 3 300\n');
    expect((await migrate('--agg', file, '--site', 'b')).err).toContain('agg.dat:2: not "ip count');
  });

  describe('command line', () => {
    test('a configuration is written once, and what is wrong in the old one is said with its line', async () => {
      const output = join(folder, 'new.yml');
      const { code, err } = await line('migrate', 'cuflow', '--config', join(folder, 'CUFlow.cf'), '--output', output);
      expect(code).toBe(0);
      expect(err).toContain(`${output}: written`);
      expect((await line('check', output)).code).toBe(0);
      expect(readFileSync(output, 'utf8')).toContain('web:');
      expect((await line('migrate', 'cuflow', '--config', join(folder, 'CUFlow.cf'), '-o', output)).err).toContain(
        'is there already',
      );
      const bad = join(folder, 'bad.cf');
      writeFileSync(bad, 'Subnet 10.0.0.0/8\nServices 80/tcp http\n');
      expect(await line('migrate', 'cuflow', '--config', bad)).toEqual({
        code: 1,
        out: '',
        err: `${bad}:2: Invalid line 2 in ${bad}: Services 80/tcp http\n1 line cannot be read\n`,
      });
    });

    test.each([
      [['migrate'], 'Unknown command "migrate"\n  Write "ringflow migrate cuflow"'],
      [['migrate', 'cuflow'], 'The configuration of CUFlow is needed'],
      [['migrate', 'cuflow', '--config', '/nowhere/CUFlow.cf'], 'Cannot read /nowhere/CUFlow.cf (ENOENT)'],
      [['migrate', 'nfsen'], 'The profiles and their filters are needed'],
    ])('%j is answered with what to do', async (argv, message) => {
      const { code, err } = await line(...argv);
      expect(code).toBe(2);
      expect(err).toContain(message);
    });

    test('files that are no RRDs, and folders without any, are refused by name', async () => {
      const empty = join(folder, 'empty');
      mkdirSync(empty);
      expect((await migrate('--rrd', empty)).err).toContain(`There is no total.rrd in ${empty}`);
      writeFileSync(join(empty, 'total.rrd'), 'nothing');
      expect((await migrate('--rrd', empty)).err).toContain(`${join(empty, 'total.rrd')}: ERROR`);
      expect((await migrate('--rrd', rrds, '--shift', '7')).err).toContain('--shift cannot be "7"');
    });
  });
});
