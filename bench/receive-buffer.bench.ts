/**
 * How many datagrams a receive buffer holds while the inlet is busy elsewhere: the inlet of a real collector is stopped,
 * a burst of NetFlow v5 datagrams (1464 bytes) is sent, the inlet goes on, and the kernel's drops are read from /metrics.
 * For docs/operations.md.
 */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const BURST = 60_000;
const SIZES_MIB = [0.203, 1, 4, 8, 16, 32];

/** Sum of a series over its labels. */
const sum = (metrics: string, name: string): number =>
  [...metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([0-9.e+]+)$`, 'gm'))].reduce(
    (a, m) => a + Number(m[1]),
    0,
  );

function datagram(): Buffer {
  const bytes = Buffer.alloc(24 + 30 * 48);
  bytes.writeUInt16BE(5, 0);
  bytes.writeUInt16BE(30, 2);
  bytes.writeUInt32BE(3_600_000, 4);
  bytes.writeUInt32BE(Math.floor(Date.now() / 1000), 8);
  return bytes;
}

async function measure(sizeMib: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ringflow-buffer-'));
  const sizeBytes = Math.round(sizeMib * 1024 * 1024);
  writeFileSync(
    join(folder, 'ringflow.yml'),
    `data_dir: ./data\ninlet: {listen: ["127.0.0.1:0"], receive_buffer_bytes: ${sizeBytes}}\nhttp: {port: 0}\nlog: {format: json}\n`,
  );
  const collector = spawn(process.execPath, [join(process.cwd(), 'collector/bin/ringflow.mjs'), 'serve'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [collector.stdout, collector.stderr])
    stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  const exited = new Promise((resolve) => collector.once('exit', resolve));
  try {
    while (!/Metrics\s+http/.test(output) && collector.exitCode === null) await sleep(50);
    const url = /Metrics\s+(http:\S+)\/metrics/.exec(output)?.[1];
    const port = Number(/Flow export\s+UDP (\d+)/.exec(output)?.[1]);
    const status = (await (await fetch(`${url}/api/v1/status`)).json()) as {
      details: { processes: { role: string; pid: number }[] };
    };
    const inlet = status.details.processes.find(({ role }) => role === 'inlet')?.pid as number;
    const socket = createSocket('udp4');
    process.kill(inlet, 'SIGSTOP');
    for (let i = 0; i < BURST; i++) await new Promise((resolve) => socket.send(datagram(), port, '127.0.0.1', resolve));
    process.kill(inlet, 'SIGCONT');
    socket.close();
    let metrics = '';
    for (let i = 0; i < 100; i++) {
      await sleep(100);
      metrics = await (await fetch(`${url}/metrics`)).text();
      const seen = sum(metrics, 'ringflow_inlet_datagrams_total') + sum(metrics, 'ringflow_inlet_kernel_drops_total');
      if (seen >= BURST) break;
    }
    const granted = sum(metrics, 'ringflow_inlet_receive_buffer_bytes');
    const kept = sum(metrics, 'ringflow_inlet_datagrams_total');
    const dropped = sum(metrics, 'ringflow_inlet_kernel_drops_total');
    console.log(
      `asked ${(sizeBytes / 1024).toFixed(0).padStart(6)} KiB  granted ${(granted / 1024).toFixed(0).padStart(6)} KiB  kept ${String(kept).padStart(6)} datagrams (${String(kept * 30).padStart(8)} v5 flows)  dropped ${String(dropped).padStart(6)} of ${BURST}`,
    );
  } finally {
    collector.kill('SIGTERM');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  for (const size of SIZES_MIB) await measure(size);
}

void main();
