import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { FuzzReport } from './runner.ts';
import type { SocketReport } from './socket.ts';

const ROOT = join(__dirname, '../..');

/** The short form of `npm run fuzz`, in a process of its own: a crash or a hang must not take jest along. */
test('X01 X02 X03 hostile datagrams: no crash, no hang, an exact ledger, and honest exporters keep their service', () => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(ROOT, 'scripts/fuzz.mjs'), '--datagrams', '200000', '--seed', '20261121', '--json'],
    { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  if (!line) throw new Error(`no report:\n${stdout}${stderr}`);
  const report = JSON.parse(line) as FuzzReport & { socket: SocketReport };
  expect(report.problems).toEqual([]);
  expect(status).toBe(0);
  expect(report.inlet.decoderFaults).toBe(0);
  expect(report.segments.rows).toBe(report.inlet.records);
  for (const { sent, arrived } of report.honest) expect(arrived).toBe(sent);
  expect(report.socket.received + report.socket.kernelDrops).toBe(report.socket.sent);
}, 240_000);
