import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parseFilter } from '@ringflow/contract';
import { stringify } from 'yaml';
import { readConfig } from '../config/index.ts';
import {
  compatWatches,
  convertChannels,
  convertCuflow,
  convertNfdumpFilter,
  formatStatements,
  parseCuflow,
  parseFlowscan,
  parseProfiles,
  type Statement,
} from './index.ts';

const FIXTURE = readFileSync(join(__dirname, 'testdata/CUFlow.cf'), 'utf8');

/** Problems that `ringflow check` would print. */
function problemsOf(config: object): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'cuflow-'));
  try {
    const path = join(folder, 'ringflow.yml');
    writeFileSync(path, stringify(config));
    return readConfig(path, {}).problems.map(({ key, message }) => `${key}: ${message}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a file with every statement becomes a configuration that is valid', () => {
  const { statements, errors, warnings } = parseCuflow(FIXTURE);
  expect(errors).toEqual([]);
  expect(warnings).toEqual([
    { line: 3, message: 'More than one blank after Subnet' },
    { line: 3, message: '192.168.2/23 is read as 192.168.2.0/23' },
    { line: 6, message: 'The label mail-servers has a "-", which not every CUFlow takes' },
    { line: 7, message: '2001:db8:7::/48 is IPv6, which CUFlow does not know' },
    { line: 27, message: '"AS" is read as ASNumber' },
    { line: 27, message: '64496-64500 is a range of AS numbers, which CUFlow 1.55 does not know' },
    { line: 31, message: 'Lines that end in \\ are joined with the next one' },
  ]);
  const migration = convertCuflow(statements);
  expect(migration.config).toEqual({
    enrich: {
      own: ['10.0.0.0/8', '192.168.2.0/23'],
      networks: {
        webservers: ['10.1.0.0/24', '10.1.9.9/32'],
        'mail-servers': ['192.168.2.0/24'],
        dmz: ['2001:db8:7::/48'],
      },
      sampling: { override: { '10.9.9.1': 96 } },
      service: { ports: ['tcp/20-21', 'tcp/22', 'udp/53', 'tcp/53', 'tcp/7070', 'tcp/554', 'udp/6970-7170'] },
    },
    names: { exporters: { '10.9.9.1': 'fred' } },
    metrics: {
      services: { ftp: ['tcp/20', 'tcp/21'], ssh: ['tcp/22'], dns: ['udp/53', 'tcp/53'] },
      watches: {
        service_real: '((proto = 6 and port in (7070, 554)) or (proto = 17 and port in (6970-7170)))',
        protocol_icmp: 'proto = 1',
        protocol_tcp: 'proto = 6',
        protocol_udp: 'proto = 17',
        protocol_esp: 'proto = 50',
        tos_normal: 'ip_tos in (0)',
        tos_other: 'ip_tos in (1-255)',
        as_uunet: 'as in (701, 702)',
        as_lab: 'as in (64496-64500)',
        multicast: 'dst_addr in 224.0.0.0/4',
      },
    },
    scoreboard: {
      rows: 10,
      directory: '/www/scoreboard',
      current: '/www/topten.html',
      overall: '/www/overall.html',
    },
  });
  expect(migration.warnings.map(({ line, message }) => `${line}: ${message.split(':')[0]}`)).toEqual([
    '7: 2001',
    '26: AS numbers come from the exporter, or from a database that enrich.geo names',
    '27: AS numbers come from the exporter, or from a database that enrich.geo names',
    '30: OutputDir /var/log/cuflow has no counterpart',
    "33: AggregateScore's file is kept in the store",
  ]);
  expect(problemsOf(migration.config)).toEqual([]);
  expect(problemsOf(convertCuflow(statements, true).config)).toEqual([]);
});

const LABEL = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
const ADDRESS = fc.ipV4();
const PREFIX = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }));
const range = (min: number, max: number) =>
  fc
    .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 4 });
const masked = ([address, bits]: readonly [string, number]): string => {
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const kept = bits === 0 ? 0 : Math.floor(number / 2 ** (32 - bits)) * 2 ** (32 - bits);
  return `${[24, 16, 8, 0].map((shift) => Math.floor(kept / 2 ** shift) % 256).join('.')}/${bits}`;
};
const STATEMENT: fc.Arbitrary<Statement> = fc.oneof(
  PREFIX.map((prefix): Statement => ({ kind: 'subnet', prefix: masked(prefix) })),
  fc
    .tuple(list(PREFIX), LABEL)
    .map(([found, label]): Statement => ({ kind: 'network', prefixes: found.map(masked), label })),
  fc.tuple(ADDRESS, LABEL).map(([address, alias]): Statement => ({ kind: 'router', address, alias })),
  ADDRESS.map((address): Statement => ({ kind: 'router', address, alias: address })),
  fc.tuple(ADDRESS, fc.nat()).map(([address, rate]): Statement => ({ kind: 'samplerate', address, rate })),
  fc
    .tuple(list(fc.tuple(fc.constantFrom(6, 17, 132, 47), range(0, 65_535))), LABEL)
    .map(([ports, label]): Statement => ({
      kind: 'service',
      ports: ports.map(([proto, [from, to]]) => ({ proto, from, to })),
      label,
    })),
  fc
    .tuple(list(range(0, 4_294_967_295)), LABEL)
    .map(([ranges, label]): Statement => ({ kind: 'asnumber', ranges, label })),
  fc.tuple(fc.nat(255), LABEL).map(([proto, alias]): Statement => ({ kind: 'protocol', proto, alias })),
  fc.tuple(list(range(0, 255)), LABEL).map(([ranges, label]): Statement => ({ kind: 'tos', ranges, label })),
  fc.constant<Statement>({ kind: 'multicast' }),
  LABEL.map((name): Statement => ({ kind: 'outputdir', path: `/var/${name}` })),
  fc
    .tuple(fc.nat(99), LABEL)
    .map(([rows, name]): Statement => ({ kind: 'scoreboard', rows, directory: `/${name}`, current: `/${name}.html` })),
  fc
    .tuple(fc.nat(99), LABEL)
    .map(([rows, name]): Statement => ({ kind: 'aggregate', rows, file: `/${name}`, output: `/${name}.html` })),
);
/** Services and AS groups may not be defined twice. */
const STATEMENTS = fc.uniqueArray(STATEMENT, {
  maxLength: 30,
  selector: (one) => (one.kind === 'service' || one.kind === 'asnumber' ? `${one.kind} ${one.label}` : {}),
});

test('what is written is read back the same', () => {
  fc.assert(
    fc.property(STATEMENTS, (statements) => {
      const { statements: read, errors } = parseCuflow(formatStatements(statements));
      expect(errors).toEqual([]);
      expect(read.map(({ line: _, ...statement }) => statement)).toEqual(statements);
    }),
    { seed: 20_261_121 },
  );
});

test('every configuration that comes out can be used', () => {
  fc.assert(
    fc.property(STATEMENTS, fc.boolean(), (statements, compat) => {
      const placed = statements.map((statement, index) => ({ ...statement, line: index + 1 }));
      expect(problemsOf(convertCuflow(placed, compat).config)).toEqual([]);
    }),
    { numRuns: 60, seed: 20_261_121 },
  );
});

test.each([
  ['subnet 10.0.0.0/8', 'Invalid line 2 in a.cf: subnet 10.0.0.0/8'],
  ['Subnet 10.0.0.1', 'Invalid line 2 in a.cf: Subnet 10.0.0.1'],
  ['Subnet 10.0.0.0/33', 'Bad network 10.0.0.0/33 on line 2'],
  ['Subnet 10.0.0.0/8 and more', 'Invalid line 2: and more is left over'],
  ['Network 10.0.0.0/8', 'Invalid line 2 in a.cf: Network 10.0.0.0/8'],
  ['Router fred', 'Invalid line 2 in a.cf: Router fred'],
  ['SampleRate 10.0.0.1 x', 'Invalid line 2 in a.cf: SampleRate 10.0.0.1 x'],
  ['Service 80/tpc web', 'Unknown protocol tpc on line 2'],
  ['Service nosuch/tcp web', 'Unknown service nosuch on line 2'],
  ['Service 90-80/tcp web', 'Bad range 90 - 80 on line 2'],
  ['Service 80 web', 'Bad Service item 80 on line 2'],
  ['Service 70000/tcp web', 'Bad Service item 70000/tcp on line 2'],
  ['Service 1/tcp a\nService 2/tcp a', 'Service a is already defined on line 3'],
  ['ASNumber 1 a\nASNumber 2 a', 'ASNumber a is already defined on line 3'],
  ['ASNumber x a', 'Bad AS number x on line 2'],
  ['Protocol nosuch', 'Unknown protocol nosuch on line 2'],
  ['TOS 0-256 a', 'Bad TOS value 256 on line 2'],
  ['TOS 9-8 a', 'Bad range 9 - 8 on line 2'],
  ['TOS x a', 'Bad TOS item x on line 2'],
  ['Multicast on', 'Invalid line 2 in a.cf: Multicast on'],
  ['Scoreboard ten /a /b', 'Invalid line 2 in a.cf: Scoreboard ten /a /b'],
  ['constructor x', 'Invalid line 2 in a.cf: constructor x'],
])('%j is refused as CUFlow does', (line, message) => {
  const { errors } = parseCuflow(`# first\n${line}\n`, 'a.cf');
  expect(errors.map((error) => error.message)).toEqual([message]);
});

test('all that is wrong is said at once, and what the original overwrites silently is said, too', () => {
  const { errors, warnings } = parseCuflow(
    'foo\nbar\nTOS 1 a\nTOS 2 a\nSubnet 10.0.0.0/8 20/tcp,21/tcp, 161-162/udp\n',
  );
  expect(errors.map(({ line }) => line)).toEqual([1, 2]);
  expect(warnings.map(({ line, message }) => `${line} ${message.split(':')[0]}`)).toEqual([
    '4 TOS a was there before',
    '5 Ports after Subnet or Router are a change of this site and are left out',
  ]);
});

test('watches with the counting rules of CUFlow are filters, one for each file and direction', () => {
  const watches = compatWatches(parseCuflow(FIXTURE).statements);
  for (const filter of Object.values(watches)) expect(parseFilter(filter).error).toBeUndefined();
  expect(Object.keys(watches)).toHaveLength(2 * (1 + 3 + 2 * 4 + 4 + 2 + 2 + 1));
  expect(watches['cuflow_service_ssh_src.out']).toBe(
    '(proto = 6 and src_port in (22)) and direction = out and not (dst_addr in 224.0.0.0/4)',
  );
});

test('flowscan.cf: what there is instead', () => {
  const read = parseFlowscan(
    '# site\nFlowFileGlob flows.*:*[0-9]\nReportClasses CUFlow SubNetIO Mine\nWaitSeconds 60\nVerbose 1\nColour red\n',
  );
  expect(read.verbose).toBe(true);
  expect(read.warnings.map(({ line }) => line)).toEqual([2, 3, 4, 6]);
  expect(read.warnings[1]?.message).toContain('Report Mine has no counterpart');
});

test.each([
  ['proto tcp and dst port 80', 'proto = 6 and dst_port = 80'],
  ['src net 10.0/16 or not (dst ip 192.0.2.1)', '(src_addr in 10.0.0.0/16 or not ((dst_addr = 192.0.2.1)))'],
  ['port > 1024 and bytes > 10k', 'port > 1024 and bytes > 10240'],
  ['src or dst port in [ 80 443 ]', '(src_port in (80, 443) or dst_port in (80, 443))'],
  ['in if 3 and flags SA # comment', 'in_if = 3 and tcp_flags has syn and tcp_flags has ack'],
  ['ip in [10.0.0.1, 10.0.0.2] and inet6', 'addr in (10.0.0.1, 10.0.0.2) and etype = IPv6'],
  ['tcp and src as 64496 and duration > 5000', 'proto = tcp and src_as = 64496 and duration > 5000ms'],
  ['router ip 192.0.2.9 and tos 32', 'sampler_address = 192.0.2.9 and ip_tos = 32'],
  ['any', 'bytes >= 0'],
])('nfdump %j is %j', (text, filter) => {
  expect(convertNfdumpFilter(text)).toBe(filter);
  expect(parseFilter(filter).error).toBeUndefined();
});

test.each(['ident router1', 'mpls label1 3', 'port', 'src mask 24', '(proto tcp', 'proto tcp dst'])(
  'nfdump %j has no counterpart, and the message says so',
  (text) => expect(() => convertNfdumpFilter(text)).toThrow(/./),
);

test('channels of NfSen become watches', () => {
  const { channels, errors } = parseProfiles('.#live#0#up#r1|r2\nteam#web#1#https#r1\n.#live#0#odd#r1\nnonsense\n');
  expect(errors.map(({ line }) => line)).toEqual([4]);
  const { config, warnings } = convertChannels(
    channels,
    ({ channel }) => ({ up: 'any', https: 'proto tcp and port 443', odd: 'ident x' })[channel] ?? null,
  );
  expect(config.metrics?.watches).toEqual({
    'live.up': 'exporter in ("r1", "r2")',
    'team.web.https': 'exporter in ("r1") and (proto = 6 and port = 443)',
  });
  expect(warnings.map(({ line }) => line)).toEqual([3, 1]);
  expect(problemsOf(config)).toEqual([]);
});
