import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

/** The short form of `npm run chaos`: three kills, a store that is down for seconds, a spool that fills up. */
test('chaos: nothing sealed is lost or doubled, the ledger is exact, rings equal raw', () => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(ROOT, 'scripts/chaos.mjs'), '--short', '--seed', '20261121'],
    { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  expect(`${stderr}${status === 0 ? '' : stdout}`).toBe('');
  expect(stdout).toContain('nothing sealed was lost or doubled, the ledger is exact, rings equal raw');
}, 240_000);
