import { mkdirSync, mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type Random } from '../../collector/src/demo/index.ts';
import { freeUdpPort } from '../../collector/src/cli/testing/sender.ts';
import { parseSegmentName, segmentId } from '../../collector/src/spool/index.ts';
import { createVictim, type Role, type Victim } from './collector.ts';
import { createLoad, type Load } from './load.ts';
import { readStored, type Stored } from './verify.ts';

/** `node main.cjs [--seed N] [--kills N] [--short]`: prints what it did and what came of it; status 1 on a problem. */

const args = process.argv.slice(2);
const option = (name: string, otherwise: number): number => {
  const at = args.indexOf(`--${name}`);
  const value = at < 0 ? otherwise : Number(args[at + 1]);
  if (!Number.isInteger(value) || value < 0) throw new RangeError(`--${name} must be a whole number`);
  return value;
};

const SEED = option('seed', 1);
const SHORT = args.includes('--short');
const KILLS = option('kills', SHORT ? 3 : 20);
const STORE_DOWN_MS = SHORT ? 3_000 : 60_000;
const BETWEEN_MS: readonly [number, number] = SHORT ? [600, 1_500] : [800, 4_000];
const RATE = 1_500;
const BURST_RATE = 40_000;
const SPOOL_BYTES = (SHORT ? 4 : 32) * 2 ** 20;
/** Before a kill so much may be unsealed: the seal interval, the write, and data that waits for its template. */
const UNSEALED_MS = 2_500;
/** A minute of segments is a few hundred, and the store waits up to ten seconds before it is started again. */
const SETTLED_MS = 240_000;
const HOUR_MS = 3_600_000;
const KINDS = ['inlet', 'store', 'main', 'everything'] as const;
type Kind = (typeof KINDS)[number];

/** When the inlet was not there, or had unsealed records that died with it. */
interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
}

const beganMs = Date.now();
const say = (line: string): void => console.log(`${((Date.now() - beganMs) / 1000).toFixed(1).padStart(6)} s  ${line}`);

async function main(): Promise<void> {
  const random = createRandom(SEED);
  const folder = mkdtempSync(join(tmpdir(), 'ringflow-chaos-'));
  const spoolDirectory = join(folder, 'data', 'spool');
  const port = await freeUdpPort();
  mkdirSync(spoolDirectory, { recursive: true });
  writeFileSync(
    join(folder, 'ringflow.yml'),
    `data_dir: ./data
inlet: {listen: ["127.0.0.1:${port}"], seal_interval_ms: 200, row_limit: 8192}
spool: {max_bytes: ${SPOOL_BYTES}, min_free_bytes: 0}
http: {port: 0}
log: {level: info, format: json}
`,
  );
  const sealed = watchSpool(spoolDirectory);
  const victim = createVictim(folder, join(__dirname, 'ringflow.cjs'));
  const load = createLoad(port, SEED);
  const gaps: Gap[] = [];
  say(`seed ${SEED}, ${KILLS} kills, ${RATE} records/s of NetFlow v5, v9, IPFIX and sFlow to port ${port}`);
  let kernelDrops = 0;
  let code: number | null = null;
  try {
    await play(random, load, victim, gaps, spoolDirectory);
    await settle(victim);
    kernelDrops = await kernelDropsOf(victim);
  } finally {
    code = await victim.end();
  }
  sealed.close();
  const stored = await readStored(join(folder, 'data'));
  const problems = judge(load, stored, gaps, sealed.rows(), kernelDrops);
  if (code !== 0) problems.push(`ringflow serve ended with ${code} after SIGTERM`);
  for (const problem of problems) console.error(`PROBLEM ${problem}`);
  if (problems.length > 0) {
    const kept = join(folder, 'output.log');
    writeFileSync(kept, victim.output());
    console.error(`the collector's output and data are in ${folder}`);
    process.exitCode = 1;
  } else {
    rmSync(folder, { recursive: true, force: true });
    say('nothing sealed was lost or doubled, the ledger is exact, rings equal raw');
  }
}

/** All that goes wrong, under load. */
async function play(random: Random, load: Load, victim: Victim, gaps: Gap[], spoolDirectory: string): Promise<void> {
  await victim.start();
  await load.start();
  let rate = RATE;
  let loading = true;
  const loader = (async () => {
    while (loading) await load.run(250, rate);
  })();
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(random.between(...BETWEEN_MS));
      await mishap(kill, load, victim);
      // The first ones cover each kind, whatever the seed.
      const kind = KINDS[kill < 3 ? kill : random.between(0, KINDS.length - 1)] as Kind;
      await strike(kind, kill, victim, gaps);
    }
    await sleep(1000);
    await storeDown(victim, () => sleep(STORE_DOWN_MS));
    await sleep(1000);
    await storeDown(victim, async () => {
      rate = BURST_RATE;
      await fillSpool(spoolDirectory);
      rate = RATE;
    });
    await sleep(1000);
  } finally {
    loading = false;
    await loader;
    await load.stop();
  }
}

/** What happens once in a run, spread over its kills. */
async function mishap(kill: number, load: Load, victim: Victim): Promise<void> {
  const at = (part: number): boolean => kill === Math.floor(KILLS * part);
  if (at(0.1) || at(0.7)) {
    await load.restart();
    say('exporters (v9, IPFIX) started again with other templates');
    await sleep(500);
  }
  if (at(0.34)) {
    load.stepBack();
    say('clock of the v9 exporter: an hour back');
  }
  if (at(0.5)) {
    victim.shiftClock(-HOUR_MS);
    say("clock of the collector (Date in main, inlet and store; not the engine's): an hour back");
  }
}

async function strike(kind: Kind, kill: number, victim: Victim, gaps: Gap[]): Promise<void> {
  const pids: Record<Role, number | undefined> = { inlet: await victim.pid('inlet'), store: await victim.pid('store') };
  const killedMs = Date.now();
  say(`kill -9 ${kill + 1}: ${kind}`);
  if (kind === 'main' || kind === 'everything') {
    await Promise.all([victim.killMain(), ...(kind === 'everything' ? [killAll(pids)] : [])]);
    await victim.start();
  } else {
    const pid = pids[kind];
    if (pid !== undefined) kill9(pid);
    if (kind === 'store') return;
    await until(() => victim.isUp(kind, pid), 30_000, `another ${kind}`);
  }
  gaps.push({ fromMs: killedMs - UNSEALED_MS, toMs: Date.now() + 250 });
}

async function killAll(pids: Record<Role, number | undefined>): Promise<void> {
  for (const pid of Object.values(pids)) if (pid !== undefined) kill9(pid);
}

function kill9(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already, by itself or by main.
  }
}

/** Kills each store that comes up until `during` is done. */
async function storeDown(victim: Victim, during: () => Promise<unknown>): Promise<void> {
  let down = true;
  let killed = 0;
  const beganDownMs = Date.now();
  const killing = (async () => {
    let last: number | undefined;
    while (down) {
      const pid = await victim.pid('store');
      if (pid !== undefined && pid !== last) {
        kill9(pid);
        killed++;
        last = pid;
      }
      await sleep(20);
    }
  })();
  await during();
  down = false;
  await killing;
  say(`store was down for ${((Date.now() - beganDownMs) / 1000).toFixed(1)} s (killed ${killed} times as it came up)`);
}

async function fillSpool(directory: string): Promise<void> {
  const used = async (): Promise<number> => {
    let bytes = 0;
    for (const name of await readdir(directory))
      bytes += await stat(join(directory, name)).then(
        ({ size }) => size,
        () => 0,
      );
    return bytes;
  };
  await until(async () => (await used()) >= SPOOL_BYTES, 120_000, 'a full spool');
  // A batch waits for room until it holds row_limit rows.
  await sleep(1500);
  say(`spool full: ${((await used()) / 2 ** 20).toFixed(1)} MiB of ${SPOOL_BYTES / 2 ** 20}`);
}

async function settle(victim: Victim): Promise<void> {
  let last = -1;
  await until(
    async () => {
      const { ledger, store } = await victim.status();
      const done = store.open && ledger.waiting === 0 && ledger.stored === last;
      last = ledger.stored;
      if (!done) await sleep(1200);
      return done;
    },
    SETTLED_MS,
    'nothing waits',
  );
  const { ledger } = await victim.status();
  if (ledger.difference !== 0) throw new Error(`ledger difference ${ledger.difference}`);
  say(`settled: ${JSON.stringify(ledger)}`);
}

async function kernelDropsOf(victim: Victim): Promise<number> {
  const listeners = (await victim.status()).details['listeners'] as { kernelDrops: number }[];
  return listeners.reduce((sum, { kernelDrops }) => sum + kernelDrops, 0);
}

/** Every segment that was ever sealed, as the file system tells it: what the collector says of itself is not asked. */
function watchSpool(directory: string): { rows(): number; close(): void } {
  const rows = new Map<string, number>();
  const watcher = watch(directory, (_event, name) => {
    const segment = name === null ? null : parseSegmentName(name);
    if (segment?.state === 'native') rows.set(segmentId(segment), segment.rows);
  });
  return { rows: () => [...rows.values()].reduce((sum, count) => sum + count, 0), close: () => watcher.close() };
}

function judge(load: Load, stored: Stored, gaps: readonly Gap[], sealedRows: number, kernelDrops: number): string[] {
  const problems: string[] = [];
  const { ledger } = stored;
  const dropped = (reason: string): number =>
    ledger.dropped.reduce((sum, drop) => sum + (drop.reason === reason ? drop.records : 0), 0);
  const allDropped = ledger.dropped.reduce((sum, { records }) => sum + records, 0);
  let copies = 0;
  let doubled = 0;
  let lostInGaps = 0;
  let lostElsewhere = 0;
  for (let id = 0; id < load.sent.records; id++) {
    const sent = load.copies[id] as number;
    const there = stored.times.get(id) ?? 0;
    copies += sent;
    if (there > sent) doubled += there - sent;
    if (there >= sent) continue;
    const atMs = load.sentAtMs[id] as number;
    if (gaps.some(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs)) lostInGaps += sent - there;
    else lostElsewhere += sent - there;
  }
  const { records, datagrams, reordered, garbage, restarts, doubled: twice } = load.sent;
  say(
    `sent      ${copies} records (${records} different) in ${datagrams} datagrams; ${twice} sent twice, ${reordered} overtaken, ${garbage} of garbage, ${restarts} restarts of exporters`,
  );
  say(
    `ledger    received ${ledger.received} = stored ${ledger.stored} + dropped ${allDropped} (spool_full ${dropped('spool_full')}, segment_unreadable ${dropped('segment_unreadable')}), difference ${ledger.received - ledger.stored - allDropped}`,
  );
  say(
    `store     ${stored.rows} rows; sealed segments seen by the file system held ${sealedRows}; ${stored.wrongRows} wrong rows`,
  );
  say(
    `lost      ${lostInGaps} unsealed or sent to nobody around ${gaps.length} kills of inlet or main, ${lostElsewhere} else (spool_full ${dropped('spool_full')}, kernel ${kernelDrops}); doubled ${doubled}`,
  );
  say(`rings     ${stored.ringCells} cells compared, ${stored.ringDifferences.length} differ`);
  if (ledger.received !== ledger.stored + allDropped) problems.push('the ledger does not add up');
  if (stored.rows !== ledger.stored) problems.push(`${stored.rows} rows in the store, the ledger has ${ledger.stored}`);
  // Half-written segments are the ones that count as unreadable: of the sealed ones, none may.
  if (sealedRows !== ledger.stored) problems.push(`${sealedRows} rows were sealed, ${ledger.stored} are stored`);
  if (stored.wrongRows > 0) problems.push(`${stored.wrongRows} rows are not what was sent`);
  if (doubled > 0) problems.push(`${doubled} records are there more often than they were sent`);
  if (dropped('spool_full') === 0) problems.push('the spool was full and nothing was counted');
  if (lostElsewhere !== dropped('spool_full'))
    problems.push(
      `${lostElsewhere} records are missing that were sent to a running inlet, ${dropped('spool_full')} are counted`,
    );
  problems.push(...stored.ringDifferences.map((text) => `rings differ from raw: ${text}`));
  return problems;
}

async function until(ask: () => Promise<boolean>, timeoutMs: number, what: string): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await ask())) {
    if (performance.now() > deadlineMs) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await sleep(50);
  }
}

main().catch((error: Error) => {
  console.error(error);
  process.exit(1);
});
