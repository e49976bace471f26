import { COLUMN_INDEX, useColumn, type Batch } from '../../wire/index.ts';
import { createRandom, writeIpv4 } from './batches.ts';
import { createWildTraffic, type WildOptions } from './wild.ts';

export interface TopTrafficOptions extends WildOptions {
  /** Addresses on each side; the popular ones are drawn far more often (Zipf, exponent 1). */
  readonly hosts?: number;
}

/**
 * Wild traffic with addresses, ports, places and duplicates: every key of every top list has several values, and many
 * more than are kept. What follows from an address is the same for each of its records.
 */
export function createTopTraffic(options: TopTrafficOptions): Batch {
  const { seed, hosts = 2000 } = options;
  const batch = createWildTraffic(options);
  const random = createRandom(seed + 1);
  const column = (name: keyof typeof COLUMN_INDEX) => useColumn(batch, COLUMN_INDEX[name]) as Uint32Array;
  const zipf = () => Math.floor(Math.exp(random() * Math.log(hosts + 1))) - 1;
  for (let row = 0; row < batch.rows; row++) {
    const hostOf = { src: zipf(), dst: zipf() };
    for (const side of ['src', 'dst'] as const) {
      const host = hostOf[side];
      const address = column(`${side}_addr`);
      if (host % 10 === 3) {
        // IPv6: 2001:db8:<host / 100>::<host>
        address.set([0xb80d0120, swap(Math.floor(host / 100)) >>> 0, 0, swap(host)], row * 4);
      } else writeIpv4(address, row, (0x0a000000 + host * 37) >>> 0);
      column(`${side}_as`)[row] = 64_500 + (host % 7);
      column(`${side}_country`)[row] = 0x4445 + (host % 3);
      column(`${side}_place`)[row] = host % 40;
      column(`${side}_network`)[row] = host % 5;
      column(`${side}_threat`)[row] = host % 50 === 0 ? 9 : 0;
      column(`${side}_scope`)[row] = 1 + (host % 2);
      column(`${side}_port`)[row] = 1024 + zipf();
    }
    // An address is inside or outside, and mostly client or mostly server.
    column('direction')[row] = 1 + (hostOf.src % 3);
    column('client_side')[row] = random() < 0.05 ? 0 : 1 + (hostOf.src % 2);
    column('dup')[row] = random() < 0.1 ? 1 : 0;
  }
  return batch;
}

/** A number as the word that holds its bytes in network order. */
function swap(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
