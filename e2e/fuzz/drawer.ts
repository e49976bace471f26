import type { Random } from '../../collector/src/demo/index.ts';
import { ATTACKS } from './hostile.ts';
import { mutate } from './mutate.ts';
import type { Sample } from './samples.ts';

/** A datagram that was drawn. */
interface Drawn {
  kind: string;
  length: number;
  port: number;
}

/** Ports per address that mutations come from. */
const PORTS = 3;

/** Draws the next hostile datagram: into `out`, its sender into `address`. */
export function createDrawer(
  random: Random,
  samples: readonly Sample[],
  only?: string,
): (nowMs: number, out: Uint8Array, address: Int32Array) => Drawn {
  const drawn: Drawn = { kind: '', length: 0, port: 0 };
  const positions = samples.map(() => 0);
  const chosen = only === undefined ? ATTACKS : ATTACKS.filter(({ name }) => name === only);
  if (chosen.length === 0)
    throw new RangeError(`There is no flood ${only}; there are ${ATTACKS.map(({ name }) => name).join(', ')}`);
  const attacks = chosen.flatMap((entry) => Array.from({ length: entry.weight }, () => entry));
  const words = new Uint8Array(16);
  words[10] = 0xff;
  words[11] = 0xff;
  const asWords = new Int32Array(words.buffer);

  function from(address: Int32Array, a: number, b: number, c: number, d: number): void {
    words[12] = a;
    words[13] = b;
    words[14] = c;
    words[15] = d;
    address.set(asWords);
  }
  /** Any address in 11/8 … 74/8: an exporter that was never heard of. */
  const spoofed = (address: Int32Array): void =>
    from(address, random.between(11, 74), random.between(0, 255), random.between(0, 255), random.between(0, 255));

  return (nowMs, out, address) => {
    const dice = only === undefined ? random.next() : 1;
    const index = random.between(0, samples.length - 1);
    const { payloads } = samples[index] as Sample;
    drawn.port = 30_000 + random.between(0, PORTS - 1);
    if (dice < 0.12) {
      // As it was sent, in its turn, so that the mutations that follow meet templates.
      const at = positions[index] as number;
      positions[index] = (at + 1) % payloads.length;
      const payload = payloads[at] as Uint8Array;
      out.set(payload);
      drawn.kind = 'as captured';
      drawn.length = payload.length;
      from(address, 100, 64, index >> 8, index & 0xff);
    } else if (dice < 0.95) {
      drawn.kind = 'mutated';
      drawn.length = mutate(random, random.pick(payloads), random.pick(random.pick(samples).payloads), out);
      if (random.next() < 0.85) from(address, 100, 64, index >> 8, index & 0xff);
      else spoofed(address);
    } else if (dice < 0.97) {
      drawn.kind = 'garbage';
      drawn.length = random.between(0, 1500);
      for (let i = 0; i < drawn.length; i++) out[i] = random.between(0, 255);
      spoofed(address);
    } else {
      const { name, attack } = random.pick(attacks);
      drawn.kind = name;
      drawn.length = attack(random, nowMs, out);
      if (random.next() < (only === undefined ? 0.9 : 0.5)) spoofed(address);
      else from(address, 100, 65, 0, random.between(0, 3));
    }
    return drawn;
  };
}
