/**
 * Done-when 2 of the collector: exporters that others wrote send over loopback to `ringflow serve`, and what is stored
 * adds up to what they say they sent.
 */
import { createFolder, startCollector, until, type RunningCollector } from '../collector/src/cli/testing/collector.ts';
import {
  createExporter,
  createFlowSource,
  createRandom,
  EXPORTERS,
  type DemoExporter,
} from '../collector/src/demo/index.ts';
import { captureWithNfcapd, readNfdumpTotals, replayWithNfreplay } from './testing/nfdump.ts';
import { exportWithNfprobe, exportWithSfprobe } from './testing/pmacct.ts';
import { describeWith } from './testing/programs.ts';
import { exportWithSoftflowd } from './testing/softflowd.ts';
import { createTraffic, markerFrames, MARKER_ADDRESS, type Totals, type Traffic } from './testing/traffic.ts';

/** Room for the rounding of an exporter: v5 and v9 have milliseconds, sFlow the time of arrival. */
const CLOCK_MS = 1000;
/** Nothing new for so long: the exporter has ended, seals take 200 ms. */
const QUIET_MS = 800;

let folder: ReturnType<typeof createFolder>;
let collector: RunningCollector;
const target = () => ({ folder: folder.path, port: collector.udpPort });

beforeAll(async () => {
  folder = createFolder();
  collector = await startCollector(folder.path);
});
afterAll(async () => {
  collector?.kill('SIGTERM');
  await collector?.exited;
  folder?.remove();
});

interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Sums in the store; without a window over all times. */
async function totals(resolution: 'raw' | '1m' | '1h', window?: Window, filter = ''): Promise<Totals> {
  const [from, to] = window ? [Math.floor(window.fromMs), Math.ceil(window.toMs)] : ['now-6h', 'now+1h'];
  const result = await collector.query({ kind: 'stat', resolution, filter }, from, to);
  if (result.error !== undefined) throw new Error(result.error);
  const frame = result.frames[0];
  const value = (name: string): number =>
    Number(frame?.data.values[frame.schema.fields.findIndex((field) => field.name === name)]?.[0] ?? NaN);
  return { records: value('flows'), bytes: value('bytes'), packets: value('packets') };
}

const minus = (left: Totals, right: Totals): Totals => ({
  records: left.records - right.records,
  bytes: left.bytes - right.bytes,
  packets: left.packets - right.packets,
});

/** Waits until all that came is stored and nothing more comes. */
async function settle(): Promise<void> {
  let last = -1;
  let sinceMs = Date.now();
  await until(
    async () => {
      const { ledger } = await collector.status();
      if (ledger.received !== last) {
        last = ledger.received;
        sinceMs = Date.now();
      }
      return ledger.waiting === 0 && Date.now() - sinceMs > QUIET_MS;
    },
    30_000,
    () => `everything is stored:\n${collector.output().slice(-3000)}`,
  );
}

interface Stored {
  /** Of the flows whose times are in the window, to the byte. */
  readonly inWindow: Totals;
  /** Over all times, from the raw table and from both rings. */
  readonly raw: Totals;
  readonly minutes: Totals;
  readonly hours: Totals;
}

/** What an exporter adds to the store. */
async function stored(send: () => Promise<unknown>, window: () => Window, filter = ''): Promise<Stored> {
  const measure = async (): Promise<Stored> => ({
    inWindow: await totals('raw', window(), filter),
    raw: await totals('raw'),
    minutes: await totals('1m'),
    hours: await totals('1h'),
  });
  const before = await measure();
  await send();
  await settle();
  const after = await measure();
  const { ledger } = await collector.status();
  expect([ledger.difference, ledger.dropped]).toEqual([0, []]);
  return {
    inWindow: minus(after.inWindow, before.inWindow),
    raw: minus(after.raw, before.raw),
    minutes: minus(after.minutes, before.minutes),
    hours: minus(after.hours, before.hours),
  };
}

const everywhere = (expected: Totals): Stored => ({
  inWindow: expected,
  raw: expected,
  minutes: expected,
  hours: expected,
});

/** Packets "now", so that what an exporter makes of its clock shows. */
const traffic = (seed: number, ipv6: boolean, conversations = 200): Traffic =>
  createTraffic({ seed, conversations, endMs: Date.now() - 1000, ipv6 });
const windowOf = ({ fromMs, toMs }: Traffic): Window => ({ fromMs: fromMs - CLOCK_MS, toMs: toMs + CLOCK_MS });

describeWith(['softflowd'], 'softflowd', () => {
  test.each([
    [5, []],
    [5, ['-a']],
    [9, []],
    [9, ['-a']],
    [10, []],
    [10, ['-a']],
    [10, ['-A', 'milli']],
  ] as const)('version %s with %j', async (version, options) => {
    const packets = traffic(version, version !== 5);
    let said: Totals | undefined;
    const found = await stored(
      async () => (said = await exportWithSoftflowd(version, packets, target(), options)),
      () => windowOf(packets),
    );
    expect(said).toEqual(packets.totals);
    expect(found).toEqual(everywhere(packets.totals));
  });
});

describeWith(['nfcapd', 'nfdump', 'nfreplay'], 'nfreplay', () => {
  test.each([
    [5, 'netflow5'],
    [9, 'netflow9'],
  ] as const)('version %s', async (version, protocol) => {
    const exporter = EXPORTERS.find((one) => one.protocol === protocol) as DemoExporter;
    const source = createFlowSource(exporter, createRandom(version));
    const nowMs = Date.now();
    const flows = Array.from({ length: 300 }, () => source.conversation(nowMs - 1000)).flat();
    const sent = { records: 0, bytes: 0, packets: 0 };
    const file = await captureWithNfcapd(folder.path, async (port) => {
      const running = createExporter(exporter, { host: '127.0.0.1', port }, nowMs);
      await running.start();
      await running.send(flows, nowMs);
      await running.stop();
      const { flows: records, bytes, packets } = running.counts();
      Object.assign(sent, { records, bytes, packets });
    });
    const said = await readNfdumpTotals(file, folder.path);
    expect(said).toEqual(sent);
    // nfreplay 1.7.1 dates the header of v5 an hour after the last flow, and that of v9 a day before the first. An exporter
    // with such a clock is corrected to the arrival (C05), which moves the flows of v5 by that hour.
    const aheadMs = version === 5 ? 3_600_000 : 0;
    const window = { fromMs: nowMs - 61_000 - CLOCK_MS - aheadMs, toMs: Date.now() + 5 * CLOCK_MS };
    const found = await stored(
      () => replayWithNfreplay(version, file, target()),
      () => window,
    );
    expect(found).toEqual(everywhere(said));
  });
});

describeWith(['pmacctd'], 'pmacct', () => {
  test.each([[5], [9], [10]] as const)('nfprobe version %s', async (version) => {
    const packets = traffic(100 + version, version !== 5);
    const found = await stored(
      () => exportWithNfprobe(version, packets.frames, target()),
      () => windowOf(packets),
    );
    expect(found).toEqual(everywhere(packets.totals));
  });

  test('sfprobe: sFlow, every packet', async () => {
    const packets = traffic(200, true, 40);
    const startMs = Date.now();
    // The last datagram waits for another packet, and is lost when the file ends: what it holds must be nothing of ours.
    const frames = [...packets.frames, ...markerFrames(packets.toMs, 60)];
    const found = await stored(
      () => exportWithSfprobe(1, frames, target()),
      () => ({ fromMs: startMs, toMs: Date.now() + CLOCK_MS }),
      `dst_addr != ${MARKER_ADDRESS}`,
    );
    // A sample is a record of one packet.
    expect(found.inWindow).toEqual({ ...packets.totals, records: packets.totals.packets });
    expect(found.minutes).toEqual(found.raw);
    expect(found.hours).toEqual(found.raw);
  });
});
