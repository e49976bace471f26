import { OUTSIDE } from './network.ts';

/** By AS: what some hosts of its first network do, beside what everybody does. */
const NEIGHBOURS: Readonly<Record<number, readonly [label: string, confidence: number, bits: number]>> = {
  4134: ['scanner', 60, 28],
  9498: ['spam', 70, 28],
  12389: ['bot', 80, 28],
  36992: ['worm', 65, 29],
};

/**
 * A list of bad addresses in the project's own form, made up: those that the incidents come from, and some hosts of the
 * synthetic network's outside, so that threats have something to show.
 */
export function createDemoReputation(): string {
  const rows = [
    'prefix,label,confidence,expires,note',
    '178.34.13.99,scanner,95,,port scan on tcp/445',
    '187.20.0.0/16,bot,75,,open resolvers of the flood',
    '87.128.34.10,malware,90,,takes large uploads',
  ];
  for (const { as, v4 } of OUTSIDE) {
    const [label, confidence, bits] = NEIGHBOURS[as] ?? [];
    if (label !== undefined) rows.push(`${v4[0]}.0/${bits},${label},${confidence},,made up`);
  }
  return `${rows.join('\n')}\n`;
}
