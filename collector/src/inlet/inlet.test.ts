import { createSocket, type Socket } from 'node:dgram';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { APP_RULES, COLUMNS, QUALITY, type LedgerDelta, type NameEntry } from '@ringflow/contract';
import { createEnrich, ENRICH_COLUMNS, ENRICH_DEFAULTS } from '../enrich/index.ts';
import { createSpoolWriter, type SpoolWriter } from '../spool/index.ts';
import {
  createBatch,
  createDatagramInfo,
  createDecoder,
  LOSS_REASONS,
  resetBatch,
  SAMPLE_WORDS,
  WIRE_DEFAULTS,
  type Batch,
} from '../wire/index.ts';
import { readCell } from '../wire/cells.ts';
import { readPcap, type PcapDatagram } from '../wire/pcap.ts';
import { INLET_DEFAULTS, type InletConfig } from './config.ts';
import { createInlet, type Inlet } from './inlet.ts';
import { recvmmsgProblem } from './recvmmsg.ts';

const CAPTURES = resolve(process.env['RINGFLOW_CAPTURES'] ?? join(__dirname, '../../../../shared/captures'));
const withCaptures = existsSync(join(CAPTURES, 'manifest.json')) ? describe : describe.skip;
if (withCaptures === describe.skip) console.warn(`no captures in ${CAPTURES}: set RINGFLOW_CAPTURES`);

type Row = Record<string, unknown>;
interface Running {
  inlet: Inlet;
  spool: SpoolWriter;
  rows: Row[];
  deltas: LedgerDelta[];
  names: NameEntry[];
  port: number;
  directory: string;
  stop(): Promise<void>;
}

const open: { stop(): Promise<void> }[] = [];
const directories: string[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ringflow-inlet-'));
  directories.push(directory);
  return directory;
}

/** The whole receiving side with the real decoder, enrichment and spool; rows are looked at as they are sealed. */
async function run(
  config: Partial<InletConfig> = {},
  directory = newDirectory(),
  spoolOptions: { max_bytes?: number; max_in_flight?: number } = { max_in_flight: 64 },
  spoolName = 'spool',
): Promise<Running> {
  const rows: Row[] = [];
  const deltas: LedgerDelta[] = [];
  const names: NameEntry[] = [];
  const spool = createSpoolWriter({ directory: join(directory, spoolName), inlet: '0', ...spoolOptions });
  const look = (batch: Batch): void => {
    for (let row = 0; row < batch.rows; row++) {
      const values: Row = {};
      for (const [index, column] of COLUMNS.entries()) {
        if (column.stored && column.name !== 'time_received_ns') values[column.name] = readCell(batch, index, row);
      }
      rows.push(values);
    }
  };
  const inlet = createInlet(
    {
      ...INLET_DEFAULTS,
      listen: ['[::]:0'],
      receive_buffer_bytes: 1 << 20,
      seal_interval_ms: 50,
      clock_threshold_ms: 1e15,
      ...config,
    },
    {
      wire: {
        createDecoder: (sink) => createDecoder(WIRE_DEFAULTS, sink),
        createBatch: (rowLimit) => createBatch({ rowLimit, columns: ENRICH_COLUMNS }),
        resetBatch,
        createDatagramInfo,
        lossReasons: LOSS_REASONS,
        sampleWords: SAMPLE_WORDS,
      },
      enrich: createEnrich(ENRICH_DEFAULTS),
      spool: {
        ...spool,
        append(batch) {
          look(batch);
          spool.append(batch);
        },
        seal(batch, delta) {
          deltas.push(delta);
          return spool.seal(batch, delta);
        },
      },
      journalPath: join(directory, 'templates.journal'),
      now: Date.now,
      onCounters: () => undefined,
      onNames: (updates) => names.push(...updates),
      onSealed: () => undefined,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    },
  );
  await inlet.start();
  let stopping: Promise<void> | null = null;
  const running: Running = {
    inlet,
    spool,
    rows,
    deltas,
    names,
    directory,
    port: inlet.status().sockets[0]!.port,
    stop: () => (stopping ??= inlet.stop()),
  };
  open.push(running);
  return running;
}

interface Senders {
  send(from: string, payload: Uint8Array, port: number): Promise<void>;
}

/** One socket per exporter of a capture, so that each has a port of its own; IPv6 for those whose name ends in `6`. */
function createSenders(): Senders {
  const sockets = new Map<string, Promise<Socket>>();
  open.push({
    async stop() {
      for (const socket of sockets.values()) (await socket).close();
    },
  });
  return {
    async send(from, payload, port) {
      const host = from.endsWith(' 6') ? '::1' : '127.0.0.1';
      let socket = sockets.get(from);
      if (!socket) {
        const made = createSocket(host === '::1' ? 'udp6' : 'udp4');
        socket = new Promise<Socket>((done) => made.bind(0, host, () => done(made)));
        sockets.set(from, socket);
      }
      const ready = await socket;
      await new Promise<void>((done, failed) =>
        ready.send(payload, port, host, (error) => (error ? failed(error) : done())),
      );
    },
  };
}

function datagramsOf(name: string): PcapDatagram[] {
  const file = readFileSync(join(CAPTURES, 'pcap', `${name}.pcap`));
  return [...readPcap(new Uint8Array(file))].map((datagram) => ({ ...datagram, payload: datagram.payload.slice() }));
}

async function replay(
  running: Running,
  senders: Senders,
  datagrams: readonly PcapDatagram[],
  suffix = '',
): Promise<void> {
  const before = running.inlet.status().datagrams;
  for (const { source, payload } of datagrams)
    await senders.send(`${source.address} ${source.port}${suffix}`, payload, running.port);
  for (let i = 0; i < 500 && running.inlet.status().datagrams < before + datagrams.length; i++) await sleep(5);
}

const exportersOf = (running: Running) => running.inlet.status().exporters.exporters;

withCaptures('captures over loopback', () => {
  (recvmmsgProblem() === null ? test : test.skip)(
    'both receivers make the same rows of the same traffic, IPv4 and IPv6',
    async () => {
      const results: Row[][] = [];
      for (const receiver of ['recvmmsg', 'dgram'] as const) {
        const running = await run({ receiver });
        expect(running.inlet.status().receiver).toBe(receiver);
        const senders = createSenders();
        const all = datagramsOf('_all-interleaved');
        await replay(running, senders, all);
        await replay(running, senders, all, ' 6');
        await running.stop();
        results.push(running.rows);
      }
      expect(results[0]!.length).toBeGreaterThan(1000);
      // sFlow and missing times say "when it arrived", which differs between the runs.
      // Names of application ids are taken over now and then.
      const comparable = (row: Row): Row => ({
        ...row,
        ...(Number(row['quality']) & (QUALITY.no_flow_times | QUALITY.clock_corrected) || row['type'] === 1
          ? { time_flow_start_ns: 0, time_flow_end_ns: 0 }
          : {}),
        ...(row['app_rule'] === APP_RULES.indexOf('application_id') ? { app: 0 } : {}),
      });
      expect(results[0]!.map(comparable)).toEqual(results[1]!.map(comparable));
      expect(new Set(results[0]!.map((row) => String(row['sampler_address']))).size).toBeGreaterThanOrEqual(2);
    },
  );

  test('what is received is what is sealed, and the segments hold it', async () => {
    const running = await run({ row_limit: 100 });
    await replay(running, createSenders(), datagramsOf('_all-interleaved'));
    await running.stop();
    const status = running.inlet.status();
    const files = readdirSync(join(running.directory, 'spool')).filter((name) => name.endsWith('.native'));
    const inFiles = files.reduce((sum, name) => sum + Number(/_r(\d+)_/.exec(name)?.[1]), 0);
    expect(files.length).toBeGreaterThan(5);
    expect(status).toMatchObject({ records: inFiles, waitingRecords: 0, decoderFaults: 0 });
    expect(status.ledger).toEqual({ receivedRecords: inFiles, sealedRecords: inFiles, dropped: [] });
    expect(running.rows).toHaveLength(inFiles);
  });

  test.each<[string, string, Record<string, unknown>]>([
    ['Q01', 'combo-v5-loss', { unit: 'flows', lost: 8 }],
    ['Q01', 'combo-v9-loss', { unit: 'datagrams', lost: 161 }],
    ['Q03', 'combo-v5-duplicate-reorder', { unit: 'flows', lost: 0, reordered: 1, duplicated: 1 }],
    ['Q03', 'combo-seq-backwards', { unit: 'datagrams', lost: 161, reordered: 1 }],
    ['Q04', 'ipfix-openbsd-pflow', { unit: 'records', lost: 0 }],
    ['T14', 'combo-reboot-redefinition', { unit: 'datagrams' }],
  ])('%s %s over loopback', async (_rule, name, expected) => {
    const running = await run();
    const datagrams = datagramsOf(name);
    await replay(running, createSenders(), datagrams);
    // Gaps are given two seconds to be filled.
    await sleep(2100);
    const status = exportersOf(running);
    const sequence = status.map((one) => one.sequence);
    expect(sequence).toHaveLength(1);
    expect(sequence[0]).toMatchObject({ unusable: false, ...expected });
    expect(sequence[0]!.lost).toBeLessThan(2 ** 31);
    expect(status[0]).toMatchObject({ datagrams: datagrams.length, exporter: '127.0.0.1' });
  });

  test('T08 parked data is replayed into a row and counted', async () => {
    const running = await run();
    await replay(running, createSenders(), datagramsOf('combo-data-before-template'));
    await running.stop();
    expect(running.inlet.status()).toMatchObject({ records: 46, replayedRecords: 46 });
    expect(exportersOf(running)[0]).toMatchObject({ records: 46, protocol: 'IPFIX' });
  });

  test('T12 templates and names survive a restart: data alone decodes afterwards', async () => {
    const directory = newDirectory();
    const senders = createSenders();
    const datagrams = datagramsOf('v9-cisco-asr9k');
    const first = await run({}, directory);
    await replay(first, senders, datagrams);
    const expected = first.inlet.status().records;
    // Not stopped: what a kill -9 leaves is in the file already.
    const second = await run({}, directory, {}, 'spool-2');
    await replay(second, senders, datagrams);
    expect(second.names).toEqual(first.names);
    expect(first.names.length).toBeGreaterThan(0);
    expect(second.inlet.status().decoder.templates).toBe(first.inlet.status().decoder.templates);
    expect(second.inlet.status().records).toBe(expected);
  });

  test('C05 a capture of long ago lands near now, its durations kept', async () => {
    const plain = await run();
    await replay(plain, createSenders(), datagramsOf('v5-softflowd'));
    await plain.stop();
    const corrected = await run({ clock_threshold_ms: 600_000 });
    await replay(corrected, createSenders(), datagramsOf('v5-softflowd'));
    await corrected.stop();
    const durations = ({ rows }: Running): number[] =>
      rows.map((row) => Number(row['time_flow_end_ns']) - Number(row['time_flow_start_ns']));
    // Numbers of this size are exact to 256 ns.
    corrected.rows.forEach((_, i) =>
      expect(Math.abs(durations(corrected)[i]! - durations(plain)[i]!)).toBeLessThan(1000),
    );
    for (const row of corrected.rows) {
      expect(Math.abs(Number(row['time_flow_end_ns']) / 1e6 - Date.now())).toBeLessThan(120_000);
      expect(Number(row['quality']) & QUALITY.clock_corrected).toBe(QUALITY.clock_corrected);
    }
    expect(Number(plain.rows[0]!['time_flow_end_ns']) / 1e6).toBeLessThan(Date.UTC(2016, 0));
    expect(exportersOf(corrected)[0]!.clockOffsetMs).toBeGreaterThan(3e11);
    expect(exportersOf(corrected)[0]!.clockCorrectedRows).toBe(corrected.rows.length);
  });

  test('X07 no exporter of any capture makes rows far from now', async () => {
    const running = await run({ clock_threshold_ms: 600_000 });
    await replay(running, createSenders(), datagramsOf('_all-interleaved'));
    await running.stop();
    const dayMs = 86_400_000;
    const far = running.rows.filter((row) => Math.abs(Number(row['time_flow_end_ns']) / 1e6 - Date.now()) > 2 * dayMs);
    expect(far.map((row) => [row['type'], row['quality'], row['time_flow_end_ns']])).toEqual([]);
  });

  test('F02 the totals that an ASA repeats are stored once', async () => {
    const running = await run();
    await replay(running, createSenders(), datagramsOf('v9-cisco-asa-2'));
    await running.stop();
    const repeated = running.rows.filter((row) => Number(row['quality']) & QUALITY.counters_repeated);
    expect(repeated.length).toBeGreaterThan(0);
    for (const row of repeated) expect([Number(row['bytes']), Number(row['fw_event'])]).toEqual([0, 2]);
    expect(running.rows.some((row) => Number(row['bytes']) === 6207)).toBe(true);
  });

  test('X03 senders outside the allow-list are counted and nothing of them is kept', async () => {
    const running = await run({ allow_exporters: ['127.0.0.0/8'] });
    const senders = createSenders();
    const datagrams = datagramsOf('v5-softflowd');
    await replay(running, senders, datagrams);
    await replay(running, senders, datagrams, ' 6');
    const { exporters, records } = running.inlet.status();
    expect(records).toBe(30);
    expect(exporters.refused.not_allowed).toBe(datagrams.length);
    expect(exporters.notAllowed).toEqual(['::1']);
    expect(exporters.exporters).toHaveLength(1);
  });

  test('a full spool drops whole batches, each record counted for its exporter', async () => {
    const running = await run({ row_limit: 10 }, newDirectory(), { max_bytes: 4096 });
    await replay(running, createSenders(), datagramsOf('_all-interleaved'));
    await running.stop();
    const status = running.inlet.status();
    const dropped = status.ledger.dropped.reduce((sum, { records }) => sum + records, 0);
    expect(dropped).toBeGreaterThan(0);
    expect(status.ledger.dropped.every(({ reason }) => reason === 'spool_full')).toBe(true);
    expect(status.ledger.receivedRecords).toBe(status.records);
    for (const delta of running.deltas) {
      expect(delta.received).toBe(delta.rows + delta.dropped.reduce((sum, { records }) => sum + records, 0));
    }
  });
});

test('a port that is taken fails the start with its code', async () => {
  const first = await run();
  await expect(run({ listen: [`[::]:${first.port}`] })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('X08 what is no flow export is counted by reason, per exporter', async () => {
  const running = await run();
  const senders = createSenders();
  for (const text of ['', 'x', 'GET / HTTP/1.1\r\n\r\n', '\u0000\u0008aaaa'])
    await senders.send('a 1', new TextEncoder().encode(text), running.port);
  for (let i = 0; i < 100 && running.inlet.status().datagrams < 4; i++) await sleep(5);
  expect(running.inlet.status().losses).toEqual({ unknown_protocol: 3, unsupported_version: 1 });
  expect(exportersOf(running)).toMatchObject([
    { protocol: 'FLOWUNKNOWN', datagrams: 4, losses: { unknown_protocol: 3, unsupported_version: 1 } },
  ]);
});
