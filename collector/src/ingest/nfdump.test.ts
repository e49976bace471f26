import { createNfdumpCsvReader, fromNfdump, isNfdump } from './nfdump.ts';

/** As if nfdump had run in UTC. */
const toNs = (local: string): string => {
  const [, seconds, fraction = ''] = /^([^.]+)(?:\.(\d+))?$/.exec(local) ?? [];
  return `${Date.parse(`${(seconds as string).replace(' ', 'T')}Z`) / 1000}${fraction.padEnd(9, '0')}`;
};

test('the objects of nfdump 1.6 and 1.7 say the same', () => {
  // bin/output_json.c of v1.6.25 and src/output/output_json.c of v1.7.8.
  const common = {
    type: 'FLOW',
    sampled: 1,
    export_sysid: 1,
    proto: 6,
    src4_addr: '192.0.2.7',
    dst4_addr: '198.51.100.9',
    src_port: 40000,
    dst_port: 443,
    fwd_status: 64,
    tcp_flags: '...AP.SF',
    src_tos: 184,
    in_packets: 5,
    in_bytes: 260,
    input_snmp: 2,
    output_snmp: 4,
    src_as: 64500,
    ip4_next_hop: '0.0.0.0',
    ip4_router: '203.0.113.1',
    label: '<none>',
  };
  const old = { ...common, t_first: '2026-01-10T12:00:00.123', t_last: '2026-01-10T12:00:05.000' };
  const now = {
    ...common,
    first: old.t_first,
    last: old.t_last,
    received: '2026-01-10T12:00:06.001',
    in_src_mac: 'aa:bb:cc:00:00:01',
  };
  const expected = {
    src_addr: '192.0.2.7',
    dst_addr: '198.51.100.9',
    src_port: 40000,
    dst_port: 443,
    proto: 6,
    etype: 'IPv4',
    forwarding_status: 64,
    tcp_flags: 0x1b,
    ip_tos: 184,
    packets: 5,
    bytes: 260,
    in_if: 2,
    out_if: 4,
    src_as: 64500,
    sampler_address: '203.0.113.1',
    // nfcapd has multiplied.
    sampling_rate: 1,
    time_flow_start_ns: '1768046400123000000',
    time_flow_end_ns: '1768046405000000000',
  };
  expect([isNfdump(old), isNfdump(now), isNfdump(expected)]).toEqual([true, true, false]);
  expect(fromNfdump(old, toNs)).toEqual([{ ...expected, time_received_ns: '1768046405000000000' }]);
  expect(fromNfdump(now, toNs)).toEqual([
    { ...expected, time_received_ns: '1768046406001000000', src_mac: 'aa:bb:cc:00:00:01' },
  ]);
});

test('counters of both ways are two records, counters of the way out alone are one', () => {
  const flow = {
    first: '2026-01-10T12:00:00.000',
    last: '2026-01-10T12:00:00.000',
    src6_addr: '2001:db8::1',
    dst6_addr: '2001:db8::2',
    src_port: 1,
    dst_port: 2,
    input_snmp: 3,
    in_packets: 4,
    in_bytes: 400,
    out_packets: 5,
    out_bytes: 500,
    tcp_flags: '......S.',
  };
  const both = fromNfdump(flow, toNs);
  expect(both).toMatchObject([
    { src_addr: '2001:db8::1', src_port: 1, in_if: 3, bytes: 400, packets: 4, tcp_flags: 2, etype: 'IPv6' },
    {
      src_addr: '2001:db8::2',
      dst_addr: '2001:db8::1',
      src_port: 2,
      out_if: 3,
      bytes: 500,
      packets: 5,
      quality: 'reverse',
    },
  ]);
  expect(both[1]).not.toHaveProperty('tcp_flags');
  expect(fromNfdump({ ...flow, in_packets: 0, in_bytes: 0 }, toNs)).toMatchObject([
    { src_addr: '2001:db8::1', bytes: 500, packets: 5 },
  ]);
});

test('CSV by its heading, up to the summary', () => {
  const full = createNfdumpCsvReader(
    'ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,sas,das,smk,dmk,dtos,dir,nh,nhb,ra,tr\n',
    toNs,
  );
  expect(
    full?.records(
      '2026-01-10 12:00:00,2026-01-10 12:00:05,5.250,192.0.2.7,198.51.100.9,0,8.3,ICMP,........,0,0,2,168,0,0,1,2,0,0,24,0,0,1,0.0.0.0,0.0.0.0,203.0.113.1,2026-01-10 12:00:06.001\n',
    ),
  ).toMatchObject([
    {
      src_addr: '192.0.2.7',
      icmp_type: '8',
      icmp_code: '3',
      dst_port: '0',
      proto: 'ICMP',
      packets: '2',
      bytes: '168',
      src_mask: '24',
      sampler_address: '203.0.113.1',
      time_flow_start_ns: '1768046400000000000',
      time_flow_end_ns: '1768046405250000000',
      time_received_ns: '1768046406001000000',
    },
  ]);
  // A flow that ends before it begins: nfdump prints the duration as an unsigned number.
  expect(
    full?.records(
      '2026-01-10 12:00:05,2026-01-10 12:00:00,18446744073709546.616,192.0.2.7,198.51.100.9,1,2,TCP,.A....S.,0,0,2,168,0,0,1,2,0,0,24,0,0,1,0.0.0.0,0.0.0.0,203.0.113.1,2026-01-10 12:00:06.001\n',
    ),
  ).toMatchObject([{ time_flow_end_ns: '1768046400000000000' }]);
  for (const line of ['Summary', 'flows,bytes,packets,avg_bps,avg_pps,avg_bpp', '119,4082789,31568,0,0,129'])
    expect(full?.records(line)).toEqual([]);
  const fast = createNfdumpCsvReader(
    'cnt,af,firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,srcAS,dstAS,input,output,flags,srcTos,packets,bytes',
    toNs,
  );
  expect(
    fast?.records('1,2,1768046400123,1768046405000,6,192.0.2.7,1,198.51.100.9,2,0,0,3,4,......S.,0,5,260'),
  ).toMatchObject([{ proto: '6', time_flow_start_ns: '1768046400123000000', tcp_flags: 2, bytes: '260', in_if: '3' }]);
  for (const heading of ['a,b,c', 'src_addr,bytes', '']) expect(createNfdumpCsvReader(heading, toNs)).toBeNull();
});
