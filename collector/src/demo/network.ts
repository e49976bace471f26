import { addressOf, type DemoFlow, type DemoInterface } from './flow.ts';
import { createZipf, type Random } from './random.ts';

/** One exporter of the synthetic network. */
export interface DemoExporter {
  readonly name: string;
  readonly protocol: 'netflow5' | 'netflow9' | 'ipfix' | 'sflow';
  /** Source address of its datagrams (any 127/8 address is local on Linux). */
  readonly address: string;
  /** One packet in N. */
  readonly sampling: number;
  readonly interfaces: readonly DemoInterface[];
  /** Which interfaces face the inside and the outside. */
  readonly inside: readonly number[];
  readonly outside: readonly number[];
  /** Inside hosts of this site, as prefixes without their last bytes. */
  readonly site: {
    readonly name: string;
    readonly v4: string;
    readonly v6: string;
    readonly hosts: number;
    /** Where it is on the map. */
    readonly place?: { readonly latitude: number; readonly longitude: number };
  };
  /** Part of all flows that this exporter sees. */
  readonly weight: number;
}

/** Autonomous systems on the outside: real numbers and address blocks, so that names and maps mean something. */
export const OUTSIDE: readonly { as: number; v4: readonly string[]; v6?: string }[] = [
  { as: 15169, v4: ['142.250.74', '172.217.16', '216.58.206'], v6: '2a00:1450:4001:80b' },
  { as: 13335, v4: ['104.16.132', '172.67.41', '1.1.1'], v6: '2606:4700:20:0' },
  { as: 16509, v4: ['52.94.236', '54.239.28', '3.120.44'], v6: '2600:9000:2000:1' },
  { as: 8075, v4: ['13.107.42', '52.113.194', '40.101.9'], v6: '2620:1ec:c11:0' },
  { as: 32934, v4: ['157.240.20', '31.13.92'], v6: '2a03:2880:f11c:0' },
  { as: 2906, v4: ['45.57.40', '198.38.96'] },
  { as: 20940, v4: ['23.32.241', '2.16.186', '96.16.53'] },
  { as: 54113, v4: ['151.101.1', '199.232.17'] },
  { as: 36459, v4: ['140.82.121', '185.199.108'] },
  { as: 3320, v4: ['87.128.33', '91.4.120'], v6: '2003:de:2000:3' },
  { as: 7922, v4: ['73.162.12', '98.207.44'] },
  { as: 3215, v4: ['90.63.240', '92.154.8'] },
  { as: 4134, v4: ['59.36.97', '113.96.12'] },
  { as: 12389, v4: ['178.34.12', '95.167.3'] },
  { as: 28573, v4: ['187.20.44', '201.6.112'] },
  { as: 9498, v4: ['122.160.70', '182.74.33'] },
  { as: 36992, v4: ['41.65.18', '197.120.4'] },
  { as: 4713, v4: ['153.142.9', '114.160.22'] },
];

interface ServiceMix {
  readonly port: number;
  readonly proto: number;
  readonly weight: number;
  /** Median bytes towards the client and towards the server of one flow, before sampling. */
  readonly down: number;
  readonly up: number;
  /** Seconds, median. */
  readonly seconds: number;
  /** Which side the server is on. */
  readonly where: 'outside' | 'inside';
}

const SERVICES: readonly ServiceMix[] = [
  { port: 443, proto: 6, weight: 38, down: 60_000, up: 6_000, seconds: 12, where: 'outside' },
  { port: 443, proto: 17, weight: 16, down: 180_000, up: 9_000, seconds: 25, where: 'outside' },
  { port: 53, proto: 17, weight: 14, down: 180, up: 75, seconds: 0.05, where: 'outside' },
  { port: 80, proto: 6, weight: 6, down: 22_000, up: 2_000, seconds: 5, where: 'outside' },
  { port: 443, proto: 6, weight: 8, down: 30_000, up: 4_000, seconds: 8, where: 'inside' },
  { port: 993, proto: 6, weight: 3, down: 14_000, up: 3_000, seconds: 50, where: 'outside' },
  { port: 25, proto: 6, weight: 2, down: 2_000, up: 35_000, seconds: 6, where: 'inside' },
  { port: 22, proto: 6, weight: 2, down: 9_000, up: 7_000, seconds: 45, where: 'inside' },
  { port: 123, proto: 17, weight: 3, down: 76, up: 76, seconds: 0.03, where: 'outside' },
  { port: 3478, proto: 17, weight: 2, down: 900_000, up: 800_000, seconds: 55, where: 'outside' },
  { port: 5060, proto: 17, weight: 1, down: 1_200, up: 1_100, seconds: 2, where: 'outside' },
  { port: 4500, proto: 17, weight: 2, down: 90_000, up: 70_000, seconds: 58, where: 'inside' },
  { port: 3389, proto: 6, weight: 1, down: 240_000, up: 20_000, seconds: 57, where: 'inside' },
  { port: 0, proto: 1, weight: 2, down: 98, up: 98, seconds: 1, where: 'outside' },
];

function interfaces(
  ...rows: readonly (readonly [index: number, name: string, description: string, gigabits: number])[]
): DemoInterface[] {
  return rows.map(([index, name, description, gigabits]) => ({ index, name, description, speedBps: gigabits * 1e9 }));
}

export const EXPORTERS: readonly DemoExporter[] = [
  {
    name: 'edge1',
    protocol: 'netflow9',
    address: '127.0.0.11',
    sampling: 1,
    weight: 35,
    interfaces: interfaces(
      [1, 'TenGigE0/0/0/0', 'Transit: Example Carrier', 10],
      [2, 'TenGigE0/0/0/1', 'PNI: Cloud One', 10],
      [10, 'HundredGigE0/1/0/0', 'Core: core1', 100],
    ),
    inside: [10],
    outside: [1, 2],
    site: {
      name: 'headquarters',
      v4: '10.10',
      v6: 'fd00:10:10',
      hosts: 600,
      place: { latitude: 47.3769, longitude: 8.5417 },
    },
  },
  {
    name: 'edge2',
    protocol: 'ipfix',
    address: '127.0.0.12',
    sampling: 100,
    weight: 30,
    interfaces: interfaces(
      [511, 'xe-0/0/0', 'Transit: Other Carrier', 10],
      [512, 'xe-0/0/1', 'IX: Example Exchange', 10],
      [520, 'et-0/1/0', 'Core: core1', 100],
    ),
    inside: [520],
    outside: [511, 512],
    site: {
      name: 'campus',
      v4: '10.20',
      v6: 'fd00:10:20',
      hosts: 900,
      place: { latitude: 42.3736, longitude: -71.1097 },
    },
  },
  {
    name: 'core1',
    protocol: 'sflow',
    address: '127.0.0.13',
    sampling: 1000,
    weight: 20,
    interfaces: interfaces(
      [101, 'Ethernet1/1', 'Uplink: edge1', 100],
      [102, 'Ethernet1/2', 'Uplink: edge2', 100],
      [111, 'Ethernet2/1', 'Servers: rack A', 25],
      [112, 'Ethernet2/2', 'Servers: rack B', 25],
    ),
    inside: [111, 112],
    outside: [101, 102],
    site: {
      name: 'datacenter',
      v4: '10.30',
      v6: 'fd00:10:30',
      hosts: 200,
      place: { latitude: 50.0755, longitude: 14.4378 },
    },
  },
  {
    name: 'branch1',
    protocol: 'netflow5',
    address: '127.0.0.14',
    sampling: 1,
    weight: 15,
    interfaces: interfaces([1, 'ether1', 'WAN: DSL', 1], [2, 'bridge', 'LAN: branch office', 1]),
    inside: [2],
    outside: [1],
    site: {
      name: 'branch',
      v4: '10.40',
      v6: 'fd00:10:40',
      hosts: 60,
      place: { latitude: 1.3521, longitude: 103.8198 },
    },
  },
];

/** Source of believable flows for one exporter. */
export interface FlowSource {
  /** Both directions of one conversation that ended at `endMs`. */
  conversation(endMs: number, volume?: number): readonly DemoFlow[];
}

export function createFlowSource(exporter: DemoExporter, random: Random): FlowSource {
  const host = createZipf(random, exporter.site.hosts, 0.8);
  const outside = createZipf(random, OUTSIDE.length, 1.1);
  const mix = SERVICES.flatMap((service) => Array<ServiceMix>(service.weight).fill(service));
  // Texts are read once: a day of history has millions of addresses.
  const site = { v4: addressOf(`${exporter.site.v4}.0.0`), v6: addressOf(`${exporter.site.v6}::`) };
  const systems = OUTSIDE.map(({ as, v4, v6 }) => ({
    as,
    v4: v4.map((prefix) => addressOf(`${prefix}.0`)),
    v6: v6 === undefined ? null : addressOf(`${v6}::`),
  }));

  function inside(v6: boolean, rank: number): Uint8Array {
    return v6 ? withHost(site.v6, rank + 1) : withHost(site.v4, (rank & 0xff00) | (rank & 255 || 1));
  }

  return {
    conversation(endMs, volume = 1) {
      const service = random.pick(mix);
      const remote = systems[outside()] as (typeof systems)[number];
      const v6 = exporter.protocol !== 'netflow5' && remote.v6 !== null && random.next() < 0.25;
      const own = inside(v6, service.where === 'inside' ? host() % 12 : host());
      const other =
        v6 && remote.v6
          ? withHost(remote.v6, random.between(1, 200))
          : withHost(random.pick(remote.v4), random.between(1, 254));
      const icmp = service.proto === 1;
      const clientPort = icmp ? 0 : random.between(32_768, 60_999);
      const durationMs = Math.min(60_000, Math.round(random.logNormal(service.seconds * 1000, 0.9)));
      const ownPort = service.where === 'inside' ? service.port : clientPort;
      const otherPort = service.where === 'inside' ? clientPort : service.port;
      const insideIf = random.pick(exporter.inside);
      const outsideIf = random.pick(exporter.outside);
      // Who serves sends what goes down to the client.
      const [ownMedian, otherMedian] =
        service.where === 'inside' ? [service.down, service.up] : [service.up, service.down];
      const sent = bytesOf(random.logNormal(ownMedian, 1.1) * volume);
      const received = bytesOf(random.logNormal(otherMedian, 1.1) * volume);
      const [ownMask, otherMask] = v6 ? [64, 48] : [24, 16];
      const proto = v6 && icmp ? 58 : service.proto;
      const tcpFlags = service.proto === 6 ? 0x1b : 0;
      const tos = service.port === 5060 || service.port === 3478 ? 0xb8 : 0;
      const startMs = endMs - durationMs;
      // All fields are written out, with the same ones in each: spreading objects costs twenty times as much.
      const out: DemoFlow = {
        src: own,
        dst: other,
        srcPort: ownPort,
        dstPort: otherPort,
        proto,
        tcpFlags,
        tos,
        bytes: sent,
        packets: packetsOf(sent),
        startMs,
        endMs,
        inIf: insideIf,
        outIf: outsideIf,
        srcAs: 0,
        dstAs: remote.as,
        srcMask: ownMask,
        dstMask: otherMask,
        vlan: 0,
        icmpType: icmp ? (v6 ? 128 : 8) : undefined,
        icmpCode: icmp ? 0 : undefined,
      };
      const back: DemoFlow = {
        src: other,
        dst: own,
        srcPort: otherPort,
        dstPort: ownPort,
        proto,
        tcpFlags,
        tos,
        bytes: received,
        packets: packetsOf(received),
        startMs,
        endMs,
        inIf: outsideIf,
        outIf: insideIf,
        srcAs: remote.as,
        dstAs: 0,
        srcMask: otherMask,
        dstMask: ownMask,
        vlan: 0,
        icmpType: icmp ? (v6 ? 129 : 0) : undefined,
        icmpCode: icmp ? 0 : undefined,
      };
      return [out, back];
    },
  };
}

/** The prefix with a host number, up to 65,535, in its last two bytes (added to what is there). */
function withHost(prefix: Uint8Array, host: number): Uint8Array {
  const address = new Uint8Array(prefix.length);
  for (let i = 0; i < prefix.length; i++) address[i] = prefix[i] as number;
  const at = address.length - 2;
  address[at] = (address[at] as number) | (host >> 8);
  address[at + 1] = host & 255;
  return address;
}

function bytesOf(wanted: number): number {
  return Math.max(40, Math.min(4e9, Math.round(wanted)));
}

function packetsOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / (bytes > 3_000 ? 1_100 : 160)));
}

/** Share of the busiest hour's traffic at a time of day: quiet at 04:00 UTC, busiest at 14:00, weekends at 60 %. */
export function rhythm(ms: number): number {
  const date = new Date(ms);
  const hour = date.getUTCHours() + date.getUTCMinutes() / 60;
  const day = date.getUTCDay() === 0 || date.getUTCDay() === 6 ? 0.6 : 1;
  return (
    day * (0.6 + 0.4 * Math.cos(((hour - 14) / 24) * 2 * Math.PI) - 0.08 * Math.cos(((hour - 12.5) / 24) * 8 * Math.PI))
  );
}
