import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { libcProblem } from '../../collector/src/inlet/libc.ts';

const ROOT = join(__dirname, '../..');
/** The sender, and what is looked at in /proc, are Linux's. */
const onLinux = libcProblem() === null ? test : test.skip;

onLinux(
  'soak: fifteen seconds of four protocols are stored as they were sent, the ledger is exact',
  () => {
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [join(ROOT, 'scripts/soak.mjs'), '--seconds=15', '--rate=10000', '--query-every=2', '--sample-every=1'],
      { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 },
    );
    expect(`${stderr}${status === 0 ? '' : stdout}`).toBe('');
    expect(stdout).toContain('what was sent is stored, the ledger is exact, nothing grows');
  },
  180_000,
);
