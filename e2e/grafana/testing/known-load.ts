/**
 * Traffic of which everything is known beforehand: who asked whom for what and how much it was. It is sent with the demo's
 * encoders; what the dashboards say is compared with these facts, never with what the collector says elsewhere.
 */
import { addressOf, type DemoFlow } from '../../../collector/src/demo/index.ts';
import { CROWD, EXPORTERS, hostOf, type ExporterName, type KnownExporter } from './known-world.ts';

export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;

/** Protocol and port of the serving end, and how both are called. */
const SERVICES = {
  https: { proto: 6, port: 443, service: 'https (TCP/443)' },
  quic: { proto: 17, port: 443, service: 'https (UDP/443)' },
  dns: { proto: 17, port: 53, service: 'domain (UDP/53)' },
  ssh: { proto: 6, port: 22, service: 'ssh (TCP/22)' },
  smtp: { proto: 6, port: 25, service: 'smtp (TCP/25)' },
  smb: { proto: 6, port: 445, service: 'microsoft-ds (TCP/445)' },
  sip: { proto: 17, port: 5060, service: 'sip (UDP/5060)' },
  ping: { proto: 1, port: 0, service: 'ICMP' },
} as const;
type Service = keyof typeof SERVICES;

/** Bytes and packets as counted, that is, after sampling. */
type Counted = readonly [bytes: number, packets: number];

interface Details {
  readonly tos?: number;
  readonly flags?: number;
  readonly vlan?: number;
  /** Another exporter has counted the same packets already. */
  readonly copy?: boolean;
}

/** Who asked whom, when (minute of the hour, seconds), over which interfaces, and what was sent each way. */
type Conversation = readonly [
  at: ExporterName,
  client: string,
  server: string,
  what: Service,
  time: readonly [minute: number, seconds: number],
  links: readonly [clientSide: number, serverSide: number],
  up: Counted,
  down: Counted | null,
  details?: Details,
];

const DATA = { flags: 0x1b };
const CALL = { tos: 0xb8 };

const CONVERSATIONS: readonly Conversation[] = [
  // One takes four minutes and a half; one began ten minutes before the hour and ends ten minutes into it.
  ['edge', '10.1.0.10', '142.250.74.10', 'https', [5, 270], [10, 1], [90_000, 900], [2_700_000, 2_700], DATA],
  ['edge', '10.1.0.10', '104.16.132.20', 'quic', [-10, 1200], [10, 2], [40_000, 400], [1_200_000, 1_200]],
  // This exporter samples: every number of it is a hundred times as large.
  ['border', '10.1.0.11', '52.94.236.30', 'https', [12, 30], [520, 511], [7_000, 70], [51_000, 51], { flags: 0x1a }],
  ['border', '10.1.0.11', '52.94.236.30', 'https', [44, 59], [520, 511], [9_000, 90], [73_000, 73], { flags: 0x1a }],
  [
    'border',
    'fd00:1::13',
    '2a00:1450:4001:80b::5',
    'https',
    [21, 45],
    [520, 511],
    [1_300, 13],
    [17_000, 17],
    { ...DATA, vlan: 30 },
  ],
  [
    'edge',
    '10.1.0.12',
    '10.2.0.20',
    'ssh',
    [30, 20],
    [10, 10],
    [33_000, 330],
    [66_000, 220],
    { flags: 0x18, vlan: 20, tos: 0x10 },
  ],
  ['edge', '10.1.0.12', '104.16.132.20', 'sip', [31, 40], [10, 2], [21_000, 105], [22_050, 105], CALL],
  ['branch', '10.1.0.12', '104.16.132.20', 'dns', [33, 3], [2, 1], [710, 10], [1_930, 10]],
  ['branch', '10.1.0.11', '142.250.74.10', 'ping', [34, 9], [2, 1], [840, 10], [840, 10]],
  // Mail to an own server; what is listed; what only passes through.
  ['edge', '153.142.9.5', '10.2.0.21', 'smtp', [38, 30], [1, 10], [350_000, 300], [14_000, 200], DATA],
  ['branch', '10.1.0.11', '87.128.34.10', 'https', [40, 35], [2, 1], [510_000, 400], [17_500, 250], DATA],
  ['edge', '178.34.13.99', '10.2.0.20', 'ssh', [42, 15], [1, 10], [3_100, 31], [4_200, 28], DATA],
  ['edge', '178.34.13.99', '10.2.0.21', 'smb', [43, 0], [1, 10], [40, 1], null, { flags: 0x02 }],
  ['edge', '153.142.9.5', '142.250.74.10', 'https', [46, 25], [2, 1], [8_800, 88], [77_000, 77], DATA],
  // The branch sees again what the edge has counted.
  [
    'branch',
    '10.1.0.12',
    '104.16.132.20',
    'sip',
    [31, 40],
    [2, 1],
    [21_000, 105],
    [22_050, 105],
    { ...CALL, copy: true },
  ],
  ...CROWD.map((number): Conversation => {
    const [client, server] = [`10.1.0.${100 + number}`, `45.57.40.${number}`];
    const time = [48 + Math.floor(number / 2), 12] as const;
    return ['edge', client, server, 'https', time, [10, 2], [500 + number, 5], [5_000 + 10 * number, 7], DATA];
  }),
];

/** One record as it ought to be known. */
export interface KnownRecord {
  readonly exporter: KnownExporter;
  readonly src: string;
  readonly dst: string;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly proto: number;
  readonly tos: number;
  readonly flags: number;
  readonly vlan: number;
  readonly inIf: number;
  readonly outIf: number;
  readonly clientIsSource: boolean;
  readonly service: string;
  readonly copy: boolean;
  /** As counted. */
  readonly counted: { readonly bytes: number; readonly packets: number };
  /** True scale. */
  readonly bytes: number;
  readonly packets: number;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
}

/** Ports of clients: those of a copy are those of what it is a copy of. */
const portOf = (number: number, what: Service, copy: boolean): number =>
  what === 'ping' ? 0 : 40_000 + (copy ? CONVERSATIONS.findIndex((one) => one[3] === what) : number);

/** Every record of the hour that begins at `hourMs`; none begins or ends where a bucket does. */
export function knownRecords(hourMs: number): KnownRecord[] {
  return CONVERSATIONS.flatMap(
    ([at, client, server, what, [minute, seconds], links, up, down, details = {}], number) => {
      const { proto, port, service } = SERVICES[what];
      const { tos = 0, flags = 0, vlan = 0, copy = false } = details;
      const exporter: KnownExporter = EXPORTERS[at];
      const startMs = hourMs + minute * MINUTE_MS + 250;
      const clientPort = portOf(number, what, copy);
      const record = ([bytes, packets]: Counted, clientIsSource: boolean): KnownRecord => ({
        exporter,
        src: clientIsSource ? client : server,
        dst: clientIsSource ? server : client,
        srcPort: clientIsSource ? clientPort : port,
        dstPort: clientIsSource ? port : clientPort,
        proto,
        tos,
        flags,
        vlan,
        inIf: links[clientIsSource ? 0 : 1],
        outIf: links[clientIsSource ? 1 : 0],
        clientIsSource,
        service,
        copy,
        counted: { bytes, packets },
        bytes: bytes * exporter.sampling,
        packets: packets * exporter.sampling,
        startMs,
        endMs: startMs + seconds * 1000,
      });
      return [record(up, true), ...(down ? [record(down, false)] : [])];
    },
  );
}

/** A record for the encoders. */
export function flowOf(record: KnownRecord): DemoFlow {
  const { src, dst, counted, flags, proto, clientIsSource } = record;
  const mask = src.includes(':') ? 64 : 24;
  const icmp = proto === 1 ? { icmpType: clientIsSource ? 8 : 0, icmpCode: 0 } : {};
  return {
    ...record,
    ...counted,
    ...icmp,
    src: addressOf(src),
    dst: addressOf(dst),
    tcpFlags: flags,
    srcAs: hostOf(src).as,
    dstAs: hostOf(dst).as,
    srcMask: mask,
    dstMask: mask,
  };
}

/** A flow of one of the days before the hour; times are milliseconds from its beginning. */
export interface EarlierFlow {
  readonly src: string;
  readonly dst: string;
  readonly exporter: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly bytes: number;
  readonly packets: number;
}

/** Bytes of the same hour on a usual day, and a week before. */
export const USUAL_BYTES = 1_000_000;
export const BYTES_BEFORE = 2_500_000;
const DAY_MS = 24 * HOUR_MS;

/** Each of the four weeks before, at the same hour, the same client asked the same server. */
export const EARLIER_FLOWS: readonly EarlierFlow[] = Array.from({ length: 28 }, (_, index) => ({
  src: '10.1.0.10',
  dst: '142.250.74.10',
  exporter: EXPORTERS.edge.address,
  startMs: -(index + 1) * DAY_MS + 10 * MINUTE_MS,
  endMs: -(index + 1) * DAY_MS + 20 * MINUTE_MS,
  bytes: index === 6 ? BYTES_BEFORE : USUAL_BYTES,
  packets: 1_000,
}));
