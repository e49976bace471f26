import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { addressWords, parseAddress } from '@ringflow/contract';
import {
  COLUMN_INDEX,
  createBatch,
  createDatagramInfo,
  createDecoder,
  WIRE_DEFAULTS,
  type Source,
} from '../collector/src/wire/index.ts';
import { libcProblem } from '../collector/src/inlet/libc.ts';
import { blast } from './blaster.ts';
import { PROTOCOLS } from './traffic.ts';

const onLinux = libcProblem() === null ? test : test.skip;

onLinux.each(PROTOCOLS)(
  'datagrams of %s decode to what the blaster says it sent, without a sequence gap',
  async (protocol) => {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const received: Uint8Array[] = [];
    socket.on('message', (message) => received.push(Uint8Array.from(message)));
    // Once round and a bit, so that datagrams are sent a second time with other numbers.
    const report = blast({
      protocol,
      host: '127.0.0.1',
      port: (socket.address() as AddressInfo).port,
      recordsPerSecond: 0,
      seconds: 10,
      maxDatagrams: 80,
      prebuilt: 64,
    });
    const templates = protocol === 'netflow9' || protocol === 'ipfix' ? 1 : 0;
    for (let i = 0; i < 200 && received.length < 80 + templates; i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    socket.close();
    expect(received).toHaveLength(80 + templates);

    const source: Source = {
      address: '127.0.0.1',
      port: 9,
      words: addressWords(parseAddress('127.0.0.1') as Uint8Array),
    };
    const decoder = createDecoder(WIRE_DEFAULTS, { options: () => undefined, counters: () => undefined });
    const batch = createBatch({ rowLimit: 10_000 });
    const info = createDatagramInfo();
    const gaps: number[] = [];
    const losses: number[] = [];
    let expected: number | undefined;
    for (const datagram of received) {
      decoder.decode(datagram, source, Date.now(), batch, info);
      losses.push(...[...info.losses].filter((count) => count > 0));
      if (expected !== undefined && info.sequence !== expected) gaps.push(info.sequence - expected);
      expected = info.sequence + info.units;
    }
    const sum = (name: 'bytes' | 'packets') => {
      const words = batch.data[COLUMN_INDEX[name]] as Uint32Array;
      let total = 0;
      for (let row = 0; row < batch.rows; row++)
        total += (words[row * 2] as number) + (words[row * 2 + 1] as number) * 2 ** 32;
      return total;
    };
    expect({ losses, gaps }).toEqual({ losses: [], gaps: [] });
    expect({ records: batch.rows, bytes: sum('bytes'), packets: sum('packets') }).toEqual({
      records: report.records,
      bytes: report.bytes,
      packets: report.packets,
    });
    expect({ datagrams: report.datagrams, refused: report.refused }).toEqual({ datagrams: 80, refused: 0 });
  },
);
