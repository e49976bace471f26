/**
 * nflow-generator and goflow2, OpenObserve's and upstream, as their users run them. Where there is none of them on this
 * machine, its test is skipped and says so: name the binary in NFLOW_GENERATOR, GOFLOW2 or OPENOBSERVE_GOFLOW2.
 */
import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  createFolder,
  runCommand,
  startCollector,
  until,
  type RunningCollector,
} from '../collector/src/cli/testing/collector.ts';
import { findProgram, startProgram, type RunningProgram } from './testing/programs.ts';

const TOKEN = 'open-sesame';
const GENERATOR = process.env['NFLOW_GENERATOR'] ?? findProgram('nflow-generator');
const GOFLOW2 = process.env['GOFLOW2'] ?? findProgram('goflow2');
const OPENOBSERVE = process.env['OPENOBSERVE_GOFLOW2'] ?? findProgram('openobserve-goflow2');
const RUN_MS = 60_000;
const BATCH = 7;

let folder: ReturnType<typeof createFolder>;
let collector: RunningCollector;
beforeAll(async () => {
  folder = createFolder();
  writeFileSync(
    join(folder.path, 'ringflow.yml'),
    `data_dir: ./data\ninlet: {listen: ["127.0.0.1:0"], seal_interval_ms: 200}\nhttp: {port: 0, ingest: {enabled: true, token: ${TOKEN}}}\n`,
  );
  collector = await startCollector(folder.path);
});
const programs: RunningProgram[] = [];
afterEach(async () => {
  for (const program of programs.splice(0)) {
    program.kill('SIGKILL');
    await program.ended.catch(() => undefined);
  }
});
afterAll(async () => {
  collector?.kill('SIGTERM');
  await collector?.exited;
  folder?.remove();
});

/** A test that needs programs, by the variable that names each. */
function testWith(needed: Readonly<Record<string, string | null>>, name: string, run: () => Promise<void>): void {
  const missing = Object.entries(needed).flatMap(([variable, path]) => (path ? [] : [variable]));
  if (missing.length > 0) process.stderr.write(`${name}: no ${missing.join(', ')}; the test is skipped\n`);
  (missing.length > 0 ? test.skip : test)(name, run);
}

function begin(path: string, args: readonly string[]): RunningProgram {
  const program = startProgram(path, args, folder.path, RUN_MS);
  programs.push(program);
  return program;
}

/** A port that was free a moment ago: these programs cannot say which one they chose. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address() as AddressInfo;
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

/** Counts what nflow-generator sends to a port (it does not say), until there are enough records. */
async function generate(port: number, enough: number): Promise<number> {
  const relay = createSocket('udp4');
  let records = 0;
  let stopped = false;
  await new Promise<void>((resolve) => relay.bind(0, '127.0.0.1', resolve));
  relay.on('message', (datagram) => {
    if (stopped) return;
    // NetFlow v5: the second word of 16 bits is the number of records.
    records += datagram.readUInt16BE(2);
    relay.send(datagram, port, '127.0.0.1');
  });
  const generator = begin(GENERATOR as string, [
    '-t',
    '127.0.0.1',
    '-p',
    String((relay.address() as AddressInfo).port),
  ]);
  await until(
    async () => records >= enough,
    RUN_MS,
    () => `nflow-generator sends:\n${generator.output()}`,
  );
  stopped = true;
  generator.kill('SIGKILL');
  // What was handed to the socket is on its way.
  await new Promise((resolve) => setTimeout(resolve, 200));
  await new Promise<void>((resolve) => relay.close(() => resolve()));
  return records;
}

/** A goflow2 that listens, and what it says about itself. */
async function beginGoflow2(
  path: string,
  args: readonly string[],
): Promise<{ port: number; records(): Promise<number> }> {
  const port = await freePort();
  const http = `127.0.0.1:${await freePort()}`;
  const program = begin(path, ['-listen', `netflow://127.0.0.1:${port}?count=1&workers=1`, '-addr', http, ...args]);
  const metrics = async (): Promise<string> => (await fetch(`http://${http}/metrics`)).text();
  await until(
    async () => (await metrics().catch(() => '')) !== '',
    10_000,
    () => `goflow2 listens:\n${program.output()}`,
  );
  // Its HTTP server is up before its socket.
  await new Promise((resolve) => setTimeout(resolve, 500));
  return {
    port,
    records: async () =>
      [...(await metrics()).matchAll(/^goflow2_flow_process_nf_flowset_total\{.*version="5"\} (\d+)/gm)].reduce(
        (sum, [, count]) => sum + Number(count),
        0,
      ),
  };
}

/** Records that are stored after `work`, of those that were not before. */
async function storedBy(work: () => Promise<number>): Promise<{ sent: number; stored: number }> {
  const before = (await collector.status()).ledger;
  const sent = await work();
  const ledger = await until(
    async () => {
      const now = (await collector.status()).ledger;
      return now.received - before.received >= sent && now.waiting === 0 && now;
    },
    20_000,
    () => `${sent} records are stored:\n${collector.output().slice(-2000)}`,
  );
  expect([ledger.difference, ledger.dropped]).toEqual([0, []]);
  return { sent, stored: ledger.stored - before.stored };
}

testWith({ NFLOW_GENERATOR: GENERATOR }, 'nflow-generator sends to the collector', async () => {
  const { sent, stored } = await storedBy(() => generate(collector.udpPort, 100));
  expect(stored).toBe(sent);
  const { exporters } = (await (await fetch(`${collector.url}/api/v1/exporters`)).json()) as {
    exporters: { records: number; lost: number }[];
  };
  // Its sequence numbers count datagrams, where v5 counts flows: nothing is missing for that.
  expect(exporters).toMatchObject([{ records: sent, lost: 0 }]);
});

testWith(
  { NFLOW_GENERATOR: GENERATOR, OPENOBSERVE_GOFLOW2: OPENOBSERVE },
  "OpenObserve's goflow2 sends through its HTTP transport",
  async () => {
    const { sent, stored } = await storedBy(async () => {
      const goflow2 = await beginGoflow2(OPENOBSERVE as string, [
        '-transport=http',
        `-transport.http.destination=${collector.url}/api/default/flows/_json`,
        '-transport.http.auth.header=Authorization',
        `-transport.http.auth.credentials=Basic ${Buffer.from(`root:${TOKEN}`).toString('base64')}`,
        `-transport.http.batchSize=${BATCH}`,
      ]);
      const records = await generate(goflow2.port, 100);
      await until(async () => (await goflow2.records()) === records, 5000, 'goflow2 has decoded all');
      // It sends when a batch is full, and keeps the rest for ever.
      return records - (records % BATCH);
    });
    expect(stored).toBe(sent);
  },
);

testWith({ NFLOW_GENERATOR: GENERATOR, GOFLOW2 }, "goflow2's JSON is imported", async () => {
  const file = join(folder.path, 'flows.json');
  const { sent, stored } = await storedBy(async () => {
    const goflow2 = await beginGoflow2(GOFLOW2 as string, [
      '-transport=file',
      `-transport.file=${file}`,
      '-format=json',
    ]);
    const records = await generate(goflow2.port, 100);
    await until(async () => (await goflow2.records()) === records, 5000, 'goflow2 has decoded all');
    await until(
      async () => readFileSync(file, 'utf8').trim().split('\n').length === records,
      5000,
      'goflow2 has written all',
    );
    const imported = await runCommand(['import', file], folder.path, {
      RINGFLOW_URL: collector.url,
      RINGFLOW_HTTP_INGEST_TOKEN: TOKEN,
    });
    expect(imported).toMatchObject({
      code: 0,
      stderr: `${file}: ${records} of ${records} records (goflow2 JSON) taken\n`,
    });
    return records;
  });
  expect(stored).toBe(sent);
});
