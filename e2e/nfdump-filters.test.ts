/**
 * Random filters over the same records in nfcapd and in a real collector: where nfdump's language can say the same,
 * nfdump finds the same records. `RINGFLOW_RANDOM_FILTERS` sets how many.
 */
import { createSocket } from 'node:dgram';
import { parseFilter, type FlowQueryInput } from '@ringflow/contract';
import { createRandom } from '../contract/filter/testing/random-filter.ts';
import { createFolder, startCollector, until, type RunningCollector } from '../collector/src/cli/testing/collector.ts';
import { createFilterRecords, encodeFilterRecords, nextHopOf, type FilterRecord } from './testing/filter-records.ts';
import { createSharedFilters } from './testing/shared-filters.ts';
import { captureWithNfcapd } from './testing/nfdump.ts';
import { NotInNfdump, SHARED_FIELDS, toNfdump } from './testing/nfdump-filter.ts';
import { describeWith, startProgram } from './testing/programs.ts';

const FILTERS = Number(process.env['RINGFLOW_RANDOM_FILTERS'] ?? 300);
const RECORDS = 2000;

describeWith(['nfcapd', 'nfdump'], 'nfdump', () => {
  let folder: ReturnType<typeof createFolder>;
  let collector: RunningCollector;
  let file: string;
  let records: readonly FilterRecord[];
  const idByNextHop = new Map<string, number>();

  beforeAll(async () => {
    folder = createFolder();
    collector = await startCollector(folder.path);
    const nowMs = Date.now();
    records = createFilterRecords(RECORDS, 7, nowMs - 5000);
    for (const record of records) idByNextHop.set(nextHopOf(record), record.id);
    const half = RECORDS / 2;
    const exports = [
      encodeFilterRecords(9, records.slice(0, half), nowMs),
      encodeFilterRecords(10, records.slice(half), nowMs),
    ];
    file = await captureWithNfcapd(folder.path, async (port) => {
      for (const datagrams of exports) for (const to of [port, collector.udpPort]) await sendAll(datagrams, to);
    });
    await until(
      async () => {
        const { ledger } = await collector.status();
        return ledger.stored === RECORDS && ledger.waiting === 0;
      },
      20_000,
      'all records are stored',
    );
  }, 60_000);
  afterAll(async () => {
    collector?.kill('SIGTERM');
    await collector?.exited;
    folder?.remove();
  });

  async function askCollector(filter: string): Promise<number[]> {
    const query: FlowQueryInput = { kind: 'records', filter, columns: ['next_hop'], limit: 10_000 };
    const { frames, error } = await collector.query(query);
    if (error !== undefined) throw new Error(`${filter}: ${error}`);
    return idsOf(frames[0]?.data.values[0] as string[]);
  }

  async function askNfdump(filter: string): Promise<number[]> {
    const args = ['-r', file, '-q', '-6', '-o', 'fmt:%nh', filter];
    const { code, stdout, stderr } = await startProgram('nfdump', args, folder.path, 20_000).ended;
    if (code !== 0) throw new Error(`${filter}: ${stderr}`);
    return idsOf(stdout.split('\n').flatMap((line) => (/^\s*[\d:a-f.]+\s*$/.test(line) ? [line.trim()] : [])));
  }

  const idsOf = (nextHops: readonly string[]): number[] =>
    nextHops
      .map((text) => {
        const id = idByNextHop.get(text);
        if (id === undefined) throw new Error(`No record has the next hop ${text}`);
        return id;
      })
      .sort((left, right) => left - right);

  test('both have all records', async () => {
    const all = records.map(({ id }) => id);
    expect(await askCollector('')).toEqual(all);
    expect(await askNfdump('any')).toEqual(all);
  });

  test(`${FILTERS} random filters find the same records`, async () => {
    const source = createSharedFilters(createRandom(20_261_121));
    const leftOut: Record<string, number> = {};
    const fields = new Set<string>();
    let some = 0;
    for (let compared = 0; compared < FILTERS;) {
      const text = source.filter();
      const { tree, error } = parseFilter(text);
      if (error) throw new Error(`${text}: ${error.message}`);
      let translated: string;
      try {
        translated = toNfdump(tree);
      } catch (cause) {
        if (!(cause instanceof NotInNfdump)) throw cause;
        leftOut[cause.message] = (leftOut[cause.message] ?? 0) + 1;
        continue;
      }
      const [ours, theirs] = await Promise.all([askCollector(text), askNfdump(translated)]);
      expect({ text, translated, found: ours }).toEqual({ text, translated, found: theirs });
      if (ours.length > 0 && ours.length < RECORDS) some++;
      for (const field of SHARED_FIELDS) if (new RegExp(`\\b${field}\\b`).test(text)) fields.add(field);
      compared++;
    }
    process.stderr.write(
      `${FILTERS} filters compared with nfdump, ${some} found some records and not all; left out: ${JSON.stringify(leftOut)}\n`,
    );
    expect(some).toBeGreaterThan(FILTERS / 3);
    if (FILTERS >= 300) expect([...fields].sort()).toEqual([...SHARED_FIELDS].sort());
  }, 3_600_000);
});

/** Sends datagrams to a port of this machine, slowly enough for any receive buffer. */
async function sendAll(datagrams: readonly Uint8Array[], port: number): Promise<void> {
  const socket = createSocket('udp4');
  for (const [index, datagram] of datagrams.entries()) {
    await new Promise<void>((resolve, reject) =>
      socket.send(datagram, port, '127.0.0.1', (error) => (error ? reject(error) : resolve())),
    );
    if (index % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await new Promise<void>((resolve) => socket.close(() => resolve()));
}
