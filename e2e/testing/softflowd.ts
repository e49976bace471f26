import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePcap } from './pcap-writer.ts';
import { startProgram } from './programs.ts';
import type { Totals, Traffic } from './traffic.ts';

/**
 * Lets softflowd export a capture and returns what its statistics say. `-t maxlife=60` is what the README asks for; it
 * does not matter with `-r`, where softflowd keeps all flows until the file ends.
 *
 * @param more further options, such as `-a` (the clock of the header is the capture's)
 */
export async function exportWithSoftflowd(
  version: 5 | 9 | 10,
  traffic: Traffic,
  target: { folder: string; port: number },
  more: readonly string[] = [],
): Promise<Totals> {
  const file = join(target.folder, `softflowd-${version}.pcap`);
  writeFileSync(file, encodePcap(traffic.frames));
  // No control socket: with -r, softflowd 1.1.0 never polls and takes whatever is on its stack for a poll's answer, so
  // that with some arguments it waits in accept() for ever.
  const options = ['-d', '-p', join(target.folder, 'softflowd.pid'), '-c', 'none', '-t', 'maxlife=60', ...more];
  const { code, stdout, stderr } = await startProgram(
    'softflowd',
    ['-r', file, '-n', `127.0.0.1:${target.port}`, '-v', String(version), ...options],
    target.folder,
    20_000,
  ).ended;
  const exported = /Flows exported: \d+ \((\d+) records\) in \d+ packets \((\d+) failures\)/.exec(stdout);
  if (code !== 0 || exported?.[2] !== '0') throw new Error(`softflowd ended with ${code}:\n${stdout}${stderr}`);
  let bytes = 0;
  let packets = 0;
  // One line per protocol: "udp (17):   692795   782   14.45s   60.00s".
  for (const [, octets, count] of stdout.matchAll(/\(\d+\):\s+(\d+)\s+(\d+)\s+[\d.]+s/g)) {
    bytes += Number(octets);
    packets += Number(count);
  }
  return { records: Number(exported[1]), bytes, packets };
}
