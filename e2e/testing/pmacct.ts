import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePcap, type CapturedFrame } from './pcap-writer.ts';
import { startProgram } from './programs.ts';

/** Lets pmacctd read a capture with one of its probes; it ends by itself. Returns what it logged. */
async function runPmacctd(
  name: string,
  frames: readonly CapturedFrame[],
  folder: string,
  lines: readonly string[],
): Promise<string> {
  const file = join(folder, `${name}.pcap`);
  const configuration = join(folder, `${name}.conf`);
  writeFileSync(file, encodePcap(frames));
  writeFileSync(configuration, [`daemonize: false`, `pcap_savefile: ${file}`, ...lines, ''].join('\n'));
  // It sleeps for two seconds before it reads, and for some more at the end.
  const { stdout, stderr } = await startProgram('pmacctd', ['-f', configuration], folder, 40_000).ended;
  return stdout + stderr;
}

/** NetFlow v5, v9 or IPFIX (10) from pmacct's nfprobe: a record per direction of each conversation. */
export function exportWithNfprobe(
  version: 5 | 9 | 10,
  frames: readonly CapturedFrame[],
  target: { folder: string; port: number },
): Promise<string> {
  return runPmacctd(`nfprobe-${version}`, frames, target.folder, [
    'plugins: nfprobe',
    'aggregate: src_host, dst_host, src_port, dst_port, proto, tos',
    `nfprobe_receiver: 127.0.0.1:${target.port}`,
    `nfprobe_version: ${version}`,
    'nfprobe_timeouts: expint=1',
  ]);
}

/** sFlow from pmacct's sfprobe, one packet in `rate`. */
export function exportWithSfprobe(
  rate: number,
  frames: readonly CapturedFrame[],
  target: { folder: string; port: number },
): Promise<string> {
  return runPmacctd(`sfprobe-${rate}`, frames, target.folder, [
    'plugins: sfprobe',
    `sampling_rate: ${rate}`,
    `sfprobe_receiver: 127.0.0.1:${target.port}`,
    'sfprobe_agentip: 127.0.0.1',
  ]);
}
