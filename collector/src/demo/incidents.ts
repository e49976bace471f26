import { addressOf, type DemoFlow } from './flow.ts';
import type { DemoExporter } from './network.ts';
import type { Random } from './random.ts';

/** Something that an operator should notice; lasts one minute. */
export interface Incident {
  readonly name: string;
  /** Which exporter sees it. */
  readonly exporter: string;
  /** Filter that finds its flows and no others: hosts and ports are ones that the other traffic does not have. */
  readonly filter: string;
  /** Dimensions that show it best. */
  readonly dimensions: readonly string[];
  /** Flows of one second. */
  flows(exporter: DemoExporter, random: Random, endMs: number): readonly DemoFlow[];
}

export const INCIDENT_MS = 60_000;

const PLAIN = { tos: 0, vlan: 0, srcMask: 24, dstMask: 24 } as const;

export const INCIDENTS: readonly Incident[] = [
  {
    name: 'port scan: one outside host tries tcp/445 on every inside address',
    exporter: 'edge1',
    filter: 'src_addr = 178.34.13.99 and dst_port = 445',
    dimensions: ['src_addr', 'dst_port'],
    flows: (exporter, random, endMs) =>
      Array.from({ length: 120 }, () => ({
        ...PLAIN,
        src: addressOf('178.34.13.99'),
        dst: addressOf(`${exporter.site.v4}.${random.between(0, 3)}.${random.between(1, 254)}`),
        srcPort: random.between(40_000, 60_000),
        dstPort: 445,
        proto: 6,
        tcpFlags: 2,
        bytes: 44,
        packets: 1,
        startMs: endMs,
        endMs,
        inIf: exporter.outside[0] as number,
        outIf: exporter.inside[0] as number,
        srcAs: 12389,
        dstAs: 0,
      })),
  },
  {
    name: 'flood: DNS answers from many resolvers to one inside host',
    exporter: 'edge2',
    filter: 'dst_addr = 10.20.200.80 and src_port = 53',
    dimensions: ['dst_addr', 'src_as'],
    flows: (exporter, random, endMs) =>
      Array.from({ length: 100 }, () => ({
        ...PLAIN,
        src: addressOf(`187.20.${random.between(0, 255)}.${random.between(1, 254)}`),
        dst: addressOf(`${exporter.site.v4}.200.80`),
        srcPort: 53,
        dstPort: random.between(1_024, 65_535),
        proto: 17,
        tcpFlags: 0,
        bytes: 14_000,
        packets: 10,
        startMs: endMs - 1_000,
        endMs,
        inIf: exporter.outside[1] as number,
        outIf: exporter.inside[0] as number,
        srcAs: 28573,
        dstAs: 0,
      })),
  },
  {
    name: 'large upload: one inside host sends to one outside host',
    exporter: 'branch1',
    filter: 'src_addr = 10.40.200.23 and dst_addr = 87.128.34.10',
    dimensions: ['src_addr', 'dst_addr'],
    flows: (exporter, random, endMs) => [
      {
        ...PLAIN,
        src: addressOf(`${exporter.site.v4}.200.23`),
        dst: addressOf('87.128.34.10'),
        srcPort: random.between(50_000, 50_010),
        dstPort: 443,
        proto: 6,
        tcpFlags: 0x18,
        bytes: 11_000_000,
        packets: 7_600,
        startMs: endMs - 1_000,
        endMs,
        inIf: exporter.inside[0] as number,
        outIf: exporter.outside[0] as number,
        srcAs: 0,
        dstAs: 3320,
      },
    ],
  },
];
