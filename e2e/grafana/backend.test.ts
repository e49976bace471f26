/** The Go tests of the plugin's backend, with a real collector to ask. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../testing/documented.ts';
import { findProgram } from '../testing/programs.ts';
import { startFlowCollector, TOKEN } from './testing/flows.ts';

jest.setTimeout(600_000);

const cwd = join(ROOT, 'grafana-plugin');
const go = (args: readonly string[], env: Record<string, string> = {}) =>
  spawnSync('go', args, { cwd, encoding: 'utf8', env: { ...process.env, ...env } });

/** Why the tests cannot run here; empty where they can. */
function missing(): string {
  if (findProgram('go') === null) return 'go not installed';
  const { status, stderr } = go(['mod', 'download']);
  return status === 0 ? '' : `its modules cannot be fetched (${stderr.trim().split('\n')[0]})`;
}

const reason = missing();
if (reason !== '') process.stderr.write(`plugin backend: ${reason}; its tests are skipped\n`);

(reason === '' ? test : test.skip)('go vet and go test pass, also against a real collector', async () => {
  const collector = await startFlowCollector();
  try {
    const vet = go(['vet', './...']);
    expect([vet.status, vet.stderr]).toEqual([0, '']);
    const { status, stdout, stderr } = go(['test', '-count=1', '-v', './...'], {
      RINGFLOW_TEST_URL: collector.url,
      RINGFLOW_TEST_TOKEN: TOKEN,
    });
    expect([status, stdout.match(/--- FAIL.*/g) ?? [], stderr]).toEqual([0, [], '']);
    expect(stdout).toContain('--- PASS: TestARealCollector');
    expect(stdout).not.toContain('--- SKIP');
  } finally {
    await collector.stop();
  }
});
