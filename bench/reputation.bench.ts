import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressWords, formatAddressBytes } from '@ringflow/contract';
import { createRandom, type Random } from '../collector/src/demo/index.ts';
import { createReputation, ENRICH_DEFAULTS, loadTableHere } from '../collector/src/enrich/index.ts';
import { describeMachine, formatSpread, mainThreadSeconds, option, printTable } from './measure.ts';

/** A reputation list of a million networks: from the file to the first look-up, and what a look-up costs. */

const MILLION = 1_000_000;
const ASKED = 1 << 20;
const NOW = 1_795_217_400_000;

/** Public addresses, outside of all ranges that lists must not label. */
function publicIpv4(random: Random): Uint8Array {
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, random.between(20, 90), ...bytes(random, 3));
}

function bytes(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random.between(0, 255));
}

/** The form of FireHOL's lists: hosts and networks of all lengths, one in ten of IPv6. */
function listText(random: Random): { text: string; addresses: Uint8Array[] } {
  const lines = ['# bench', '#', '# ipv4 hash:net ipset'];
  const addresses: Uint8Array[] = [];
  for (let i = 0; i < MILLION; i++) {
    const isIpv4 = random.next() < 0.9;
    const address = isIpv4 ? publicIpv4(random) : Uint8Array.of(0x2a, ...bytes(random, 15));
    addresses.push(address);
    const bits = isIpv4 ? random.pick([20, 22, 24, 24, 28, 32, 32, 32]) : random.pick([32, 48, 48, 64, 128]);
    lines.push(bits === 32 && isIpv4 ? formatAddressBytes(address) : `${formatAddressBytes(address)}/${bits}`);
  }
  return { text: `${lines.join('\n')}\n`, addresses };
}

async function run(): Promise<void> {
  console.log(describeMachine());
  const folder = mkdtempSync(join(tmpdir(), 'ringflow-bench-'));
  try {
    const random = createRandom(1);
    const path = join(folder, 'million.netset');
    const { text, addresses } = listText(random);
    writeFileSync(path, text);
    const words = new Uint32Array(ASKED * 4);
    for (let i = 0; i < ASKED; i++)
      words.set(
        addressWords(i % 2 === 0 ? (addresses[random.between(0, MILLION - 1)] as Uint8Array) : publicIpv4(random)),
        i * 4,
      );
    const loads: number[] = [];
    const walls: number[] = [];
    const finds: number[] = [];
    let found = 0;
    for (let round = 0; round < option('rounds', 3); round++) {
      const reputation = createReputation(
        { ...ENRICH_DEFAULTS.reputation, lists: [{ name: 'million', path }] },
        {
          own: ENRICH_DEFAULTS.own,
          privateRanges: [],
          loadTable: loadTableHere,
          changed: () => undefined,
          fileLoaded: () => undefined,
          fileFailed: (error) => {
            throw error;
          },
          now: () => NOW,
        },
      );
      const wall = performance.now();
      const started = mainThreadSeconds();
      await reputation.start(120_000);
      walls.push((performance.now() - wall) / 1000);
      const loaded = mainThreadSeconds();
      loads.push(loaded - started);
      const facts = {
        scope: 0,
        own: 0,
        network: 0,
        country: 0,
        place: 0,
        asn: 0,
        asnBehindFlow: 0,
        threat: 0,
        threatByPort: 0,
      } as const;
      const asked = { ...facts, threat: 0 };
      found = 0;
      const before = mainThreadSeconds();
      for (let i = 0; i < ASKED; i++) {
        asked.threat = 0;
        reputation.resolve(words, i * 4, asked);
        if (asked.threat !== 0) found++;
      }
      finds.push(((mainThreadSeconds() - before) / ASKED) * 1e9);
      await reputation.stop();
    }
    printTable(
      ['a reputation list of a million networks', `${(statSync(path).size / 1e6).toFixed(0)} MB`],
      [
        ['load, CPU s', formatSpread(loads, 2)],
        ['load, s', formatSpread(walls, 2)],
        ['look-up with labels, ns', formatSpread(finds, 0)],
      ],
    );
    console.log(
      `median of ${loads.length} (lowest–highest); ${ASKED} addresses, ${((found / ASKED) * 100).toFixed(0)} % of them labelled`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void run();
