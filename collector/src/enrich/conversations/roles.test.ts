import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { QUALITY, serviceOf } from '@ringflow/contract';
import {
  createBatch,
  createDatagramInfo,
  createDecoder,
  readPcap,
  resetBatch,
  WIRE_DEFAULTS,
  type Batch,
} from '../../wire/index.ts';
import { createEnrich, ENRICH_COLUMNS, ENRICH_DEFAULTS, type Enrich } from '../index.ts';
import { addRows, batchOf, numbersOf, wordsOf, type Row } from '../testing/batch.ts';

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ICMP6 = 58;
const GRE = 47;
const SYN = 2;
const RST = 4;
const ACK = 16;
/** Of a connection that was opened, used and closed. */
const ALL = 0x1b;

const createTestEnrich = (): Enrich =>
  createEnrich({
    ...ENRICH_DEFAULTS,
    endpoints: { '192.0.2.10:18443/tcp': 'Payroll', '192.0.2.11:18443/tcp': 'Clock' },
    service: { ports: ['tcp/40100'] },
    roles: { conversations: 1024 },
  });

/** `src tcp_flags` and the like, by row. */
function answersOf(batch: Batch): string[] {
  const rules = wordsOf(batch, 'role_rule');
  return wordsOf(batch, 'client_side').map((side, row) => `${side} ${rules[row]}`);
}

function decide(...rows: Row[]): string[] {
  const batch = batchOf(rows, ENRICH_COLUMNS);
  createTestEnrich().step(batch, 0, rows.length);
  return answersOf(batch);
}

/** The record of the other direction. */
function back(row: Row, more: Row = {}): Row {
  const other: Row = {};
  for (const [name, value] of Object.entries(row)) {
    const twin = name.startsWith('src_') ? `dst_${name.slice(4)}` : name.replace(/^dst_/, 'src_');
    Object.assign(other, { [twin]: value });
  }
  return { ...other, ...more };
}

const inside = { src_addr: '10.0.0.1', dst_addr: '198.51.100.7' };
const short = { ...inside, src_port: 41_000, dst_port: 42_000, proto: TCP };
const long = { ...short, tcp_flags: ALL, packets: 20 };
const reverse = { quality: QUALITY.reverse };

test.each<[string, Row, Row, string, string]>([
  // 1: the exporter says who began.
  [
    '1 initiator',
    { ...long, biflow_direction: 1 },
    back(long, { biflow_direction: 1, ...reverse }),
    'src initiator',
    'dst initiator',
  ],
  [
    '1 reverse initiator',
    { ...long, biflow_direction: 2 },
    back(long, { biflow_direction: 2, ...reverse }),
    'dst initiator',
    'src initiator',
  ],
  [
    '1 but not a perimeter',
    { ...long, biflow_direction: 3 },
    back(long, { biflow_direction: 3, ...reverse }),
    'dst lower_port',
    'src lower_port',
  ],
  [
    '1 initiator and responder counters',
    { ...long, initiator: 1 },
    back(long, { initiator: 1, ...reverse }),
    'src initiator',
    'dst initiator',
  ],
  [
    '1 echo request',
    { ...inside, proto: ICMP, icmp_type: 8 },
    back(inside, { proto: ICMP, icmp_type: 0 }),
    'src initiator',
    'dst opposite_record',
  ],
  [
    '1 echo request, IPv6',
    { ...inside, proto: ICMP6, icmp_type: 128 },
    back(inside, { proto: ICMP6, icmp_type: 129 }),
    'src initiator',
    'dst initiator',
  ],
  // 2: two senders to one group, since a group sends nothing.
  [
    '2 multicast',
    { ...short, dst_addr: '224.0.0.251', proto: UDP, src_port: 53 },
    { ...short, dst_addr: 'ff02::fb', src_addr: 'fe80::1' },
    'src multicast',
    'src multicast',
  ],
  [
    '2 broadcast',
    { ...short, dst_addr: '255.255.255.255', proto: UDP, src_port: 53 },
    short,
    'src multicast',
    'dst lower_port',
  ],
  [
    '3 a configured endpoint',
    { ...long, src_port: 443, dst_addr: '192.0.2.10', dst_port: 18_443 },
    back({ ...long, src_port: 443, dst_addr: '192.0.2.10', dst_port: 18_443 }),
    'src endpoint',
    'dst endpoint',
  ],
  [
    '3 but not with another protocol',
    { ...short, src_port: 443, dst_addr: '192.0.2.10', dst_port: 18_443, proto: UDP },
    back({ ...short, src_port: 443, dst_addr: '192.0.2.10', dst_port: 18_443, proto: UDP }),
    'dst known_port',
    'src known_port',
  ],
  [
    '3 but not between two of them',
    { ...long, src_addr: '192.0.2.11', src_port: 18_443, dst_addr: '192.0.2.10', dst_port: 18_443 },
    back({ ...long, src_addr: '192.0.2.11', src_port: 18_443, dst_addr: '192.0.2.10', dst_port: 18_443 }),
    'dst lower_address',
    'src lower_address',
  ],
  [
    '4 SYN without ACK, though its port is lower',
    { ...short, tcp_flags: SYN, packets: 1 },
    back(short, { tcp_flags: SYN | ACK, packets: 1 }),
    'src tcp_flags',
    'dst tcp_flags',
  ],
  [
    '4 SYN+ACK alone',
    { ...short, tcp_flags: SYN | ACK, packets: 2 },
    back(short, { tcp_flags: ACK | 8, packets: 5 }),
    'dst tcp_flags',
    'src opposite_record',
  ],
  [
    '4 but not SYN+ACK of a long flow',
    { ...short, tcp_flags: SYN | ACK, packets: 3 },
    back(long),
    'dst lower_port',
    'src lower_port',
  ],
  [
    '4 but not two that contradict each other',
    { ...short, tcp_flags: SYN },
    back(short, { tcp_flags: SYN }),
    'dst lower_port',
    'src lower_port',
  ],
  [
    '5 what the opposite record says',
    { ...short, src_port: 22, tcp_flags: SYN | RST },
    back({ ...long, src_port: 22 }),
    'src tcp_flags',
    'dst opposite_record',
  ],
  [
    '6 a known port',
    { ...short, src_port: 53, dst_port: 1023, proto: UDP },
    back({ ...short, src_port: 53, dst_port: 1023, proto: UDP }),
    'dst known_port',
    'src known_port',
  ],
  [
    '6 an own one before a registered one',
    { ...long, src_port: 443, dst_port: 40_100 },
    back({ ...long, src_port: 443, dst_port: 40_100 }),
    'src known_port',
    'dst known_port',
  ],
  ['7 the lower port', long, back(long), 'dst lower_port', 'src lower_port'],
  [
    '7 the lower of two known ones',
    { ...long, src_port: 443, dst_port: 22 },
    back({ ...long, src_port: 443, dst_port: 22 }),
    'src lower_port',
    'dst lower_port',
  ],
  [
    '8 the own address',
    { ...long, src_port: 42_000 },
    back({ ...long, src_port: 42_000 }),
    'src own_address',
    'dst own_address',
  ],
  [
    '8 the own address, ICMP without a type',
    { ...inside, proto: ICMP },
    back({ ...inside, proto: ICMP }),
    'src own_address',
    'dst own_address',
  ],
  [
    '8 the lower address as a number',
    { ...inside, proto: GRE, dst_addr: '10.0.1.0', src_addr: '10.0.0.9' },
    back({ ...inside, proto: GRE, dst_addr: '10.0.1.0', src_addr: '10.0.0.9' }),
    'src lower_address',
    'dst lower_address',
  ],
])('5.2 rule %s, in both orders', (_name, row, other, first, second) => {
  expect(decide(row, other)).toEqual([first, second]);
  expect(decide(other, row)).toEqual([second, first]);
});

test('5.2 the service is the port of the server', () => {
  const rows = [{ ...short, tcp_flags: SYN, src_port: 22 }, { ...long }, { ...inside, proto: GRE, src_port: 7 }];
  const batch = batchOf(rows, ENRICH_COLUMNS);
  createTestEnrich().step(batch, 0, 3);
  expect(numbersOf(batch, 'service')).toEqual([serviceOf(TCP, 42_000), serviceOf(TCP, 41_000), serviceOf(GRE, 0)]);
});

test('5.2 records without two ends have no client', () => {
  expect(decide({ proto: 0 }, { ...inside, dst_addr: '10.0.0.1', proto: GRE })).toEqual([' ', ' ']);
});

test('5.2 rule 5 corrects rows of earlier calls, as long as the batch was not emptied', () => {
  const enrich = createTestEnrich();
  const batch = batchOf([], ENRICH_COLUMNS);
  const add = (...rows: Row[]): void => {
    const from = batch.rows;
    addRows(batch, rows);
    enrich.step(batch, from, batch.rows);
  };
  add({ proto: UDP, src_port: 5, dst_port: 6 }, long, back(long));
  expect(answersOf(batch).slice(1)).toEqual(['dst lower_port', 'src lower_port']);
  expect(numbersOf(batch, 'app').slice(1)).toEqual([serviceOf(TCP, 41_000), serviceOf(TCP, 41_000)]);
  add({ ...short, tcp_flags: SYN, packets: 1 });
  expect(answersOf(batch).slice(1)).toEqual(['src opposite_record', 'dst opposite_record', 'src tcp_flags']);
  for (const name of ['service', 'app'] as const)
    expect(numbersOf(batch, name).slice(1)).toEqual([1, 2, 3].map(() => serviceOf(TCP, 42_000)));
  resetBatch(batch);
  add({ proto: UDP, src_port: 5, dst_port: 6 }, { proto: UDP, src_port: 5, dst_port: 6 }, back(long));
  // What was sealed stays; what comes after it agrees with what is known.
  expect(answersOf(batch)[2]).toBe('dst opposite_record');
});

test('5.2 rule 5 forgets after five minutes', () => {
  const syn = { ...short, tcp_flags: SYN, packets: 1 };
  const at = (time_received_ns: number, row: Row): Row => ({ ...row, time_received_ns });
  expect(decide(at(1000, syn), at(1300, back(long)))).toEqual(['src tcp_flags', 'dst opposite_record']);
  expect(decide(at(1000, syn), at(1301, back(long)))).toEqual(['src tcp_flags', 'src lower_port']);
  expect(decide(at(1000, back(long)), at(1301, syn))).toEqual(['src lower_port', 'src tcp_flags']);
});

/** Numbers that are the same in every run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 4_294_967_296) * below);
  };
}

test("5.2 the order of a conversation's records never changes an answer", () => {
  const random = createRandom(20_261_121);
  const enrich = createTestEnrich();
  const batch = batchOf([], ENRICH_COLUMNS);
  let seconds = 1_000_000;
  /** Each time so much later that nothing is known from before. */
  const decideLater = (rows: readonly Row[]): string[] => {
    seconds += 1000;
    addRows(
      batch,
      rows.map((row) => ({ ...row, time_received_ns: seconds })),
    );
    enrich.step(batch, 0, rows.length);
    const answers = answersOf(batch);
    resetBatch(batch);
    return answers;
  };
  const pick = <T>(...values: T[]): T => values[random(values.length)] as T;
  for (let round = 0; round < 1000; round++) {
    const ends: Row = {
      src_addr: pick('10.0.0.1', '192.0.2.10', '198.51.100.7', '2001:db8::1', '203.0.113.200'),
      dst_addr: pick('10.0.0.2', '192.0.2.10', '203.0.113.9', '2001:db8::2', 'ff02::1'),
      src_port: pick(0, 53, 443, 18_443, 40_100, 50_000),
      dst_port: pick(0, 22, 443, 18_443, 50_000, 50_001),
      proto: pick(TCP, TCP, TCP, UDP, ICMP, ICMP6, GRE),
    };
    const rows = Array.from({ length: 2 + random(3) }, (): Row => {
      const row = pick(true, false) ? ends : back(ends);
      return {
        ...row,
        tcp_flags: pick(0, SYN, SYN | ACK, ALL, RST),
        packets: pick(1, 2, 3),
        icmp_type: pick(0, 0, 8, 128, 129, 3),
        biflow_direction: pick(0, 0, 0, 1, 2),
        quality: pick(0, 0, QUALITY.reverse),
      };
    });
    const order = rows.map((_, index) => index).sort(() => random(3) - 1);
    const straight = decideLater(rows);
    const mixed = decideLater(order.map((index) => rows[index] as Row));
    expect(order.map((index) => straight[index])).toEqual(mixed);
    // All records of a conversation name the same client.
    const clients = straight.map((answer, index) => {
      const client = answer.startsWith('src') ? rows[index] : back(rows[index] as Row);
      return `${client?.src_addr} ${ends.proto === GRE ? '' : client?.src_port}`;
    });
    if (ends.src_addr !== ends.dst_addr) expect(new Set(clients).size).toBe(1);
  }
});

const CAPTURES = resolve(process.env['RINGFLOW_CAPTURES'] ?? join(__dirname, '../../../../../shared/captures'));
const withCaptures = existsSync(join(CAPTURES, 'pcap')) ? describe : describe.skip;
if (withCaptures === describe.skip) console.warn(`no captures in ${CAPTURES}: set RINGFLOW_CAPTURES`);

withCaptures('captures', () => {
  function answersTo(capture: string): string[] {
    const decoder = createDecoder(WIRE_DEFAULTS, { options: () => undefined, counters: () => undefined });
    const batch = createBatch({ rowLimit: 1000, columns: ENRICH_COLUMNS });
    for (const { payload, source, arrivalMs } of readPcap(readFileSync(join(CAPTURES, 'pcap', `${capture}.pcap`))))
      decoder.decode(payload, source, arrivalMs, batch, createDatagramInfo());
    createTestEnrich().step(batch, 0, batch.rows);
    const reversed = numbersOf(batch, 'quality').map((flags) => (flags & QUALITY.reverse) !== 0);
    return [...new Set(answersOf(batch).map((answer, row) => `${answer}${reversed[row] ? ', reverse' : ''}`))].sort();
  }

  test("5.2 rule 1: the counters of initiator and responder of an ASA, Cisco's client and server", () => {
    // The event of its creation has no counters, and agrees with those that follow.
    expect(answersTo('v9-cisco-asa-2')).toEqual(['dst initiator, reverse', 'src initiator', 'src opposite_record']);
    expect(answersTo('x-np-ipfix-cisco-avc')).toEqual(['src initiator']);
    // Cisco's addresses of client and server win over a biflowDirection of 2.
    expect(answersTo('x-np-ipfix-cisco-mixed')).toEqual(['dst initiator, reverse', 'src initiator']);
  });

  test('5.2 rule 1: one responder counter alone is no biflow', () => {
    expect(answersTo('v9-huawei').filter((answer) => answer.includes('initiator'))).toEqual([]);
  });
});
