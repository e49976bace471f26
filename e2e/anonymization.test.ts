import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressWords, formatAddress, parseAddress } from '@ringflow/contract';
import { buildTraffic } from '../bench/traffic.ts';
import { createCryptopan, parseCryptopanKey } from '../collector/src/enrich/index.ts';
import { captureWithNfcapd } from './testing/nfdump.ts';
import { describeWith, startProgram } from './testing/programs.ts';

const KEY = '0f1e2d3c4b5a69788796a5b4c3d2e1f0' + '00112233445566778899aabbccddeeff';

async function run(program: string, args: readonly string[], folder: string): Promise<string> {
  const { code, stdout, stderr } = await startProgram(program, args, folder, 20_000).ended;
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${stdout}${stderr}`);
  return stdout;
}

/** Source and destination of each flow of a file. */
async function addressesOf(file: string, folder: string): Promise<string[][]> {
  const text = await run('nfdump', ['-r', file, '-q', '-6', '-o', 'fmt:%sa %da'], folder);
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
}

describeWith(['nfcapd', 'nfdump', 'nfanon'], 'Crypto-PAn', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'ringflow-anonymization-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  // nfanon gives one IPv6 address many pseudonyms (1.7.1; nfdump pull request 671 mends a part of it).
  test('pseudonyms of IPv4 addresses are those of nfanon with the same key', async () => {
    const { templates, datagrams } = buildTraffic('netflow9', { datagrams: 20, exportMs: Date.now() });
    const file = await captureWithNfcapd(folder, async (port) => {
      const socket = createSocket('udp4');
      for (const datagram of [templates as Uint8Array, ...datagrams])
        await new Promise<void>((resolve, reject) =>
          socket.send(datagram, port, '127.0.0.1', (error) => (error ? reject(error) : resolve())),
        );
      socket.close();
    });
    const plain = await addressesOf(file, folder);
    await run('nfanon', ['-q', '-K', `0x${KEY}`, '-r', file, '-w', join(folder, 'hidden')], folder);
    const hidden = await addressesOf(join(folder, 'hidden'), folder);

    const rewrite = createCryptopan(parseCryptopanKey(Buffer.from(KEY)));
    const pseudonymOf = (text: string): string => {
      const words = addressWords(parseAddress(text) as Uint8Array);
      rewrite(words, 0);
      return formatAddress(words, 0);
    };
    expect(plain.length).toBeGreaterThan(200);
    expect(new Set(plain.flat()).size).toBeGreaterThan(100);
    expect(plain.map((pair) => pair.map(pseudonymOf))).toEqual(hidden);
  }, 60_000);
});
