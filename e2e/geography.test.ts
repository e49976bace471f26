import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFolder, runCommand } from '../collector/src/cli/testing/collector.ts';
import { loadAsPrefixes } from '../collector/src/enrich/geo/as-files.ts';
import { documentedBlocks } from './testing/documented.ts';

const blocks = documentedBlocks('docs/how-to/geography.md');
const folder = createFolder();
afterAll(() => folder.remove());

test.each(['databases', 'resolve'])('docs: the example of %s is a configuration', async (name) => {
  writeFileSync(join(folder.path, `${name}.yml`), blocks.get(name) ?? 'nothing');
  const { code, stderr } = await runCommand(['check', `${name}.yml`], folder.path);
  expect([code, stderr]).toEqual([0, `${name}.yml: no problems\n`]);
});

test('docs: the example of a prefix file can be loaded', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ringflow-docs-'));
  try {
    writeFileSync(join(directory, 'prefixes.csv'), blocks.get('prefixes') ?? '');
    const { networks, names } = await loadAsPrefixes(join(directory, 'prefixes.csv'));
    expect([networks.size, [...names.asns]]).toEqual([3, [64_496, 64_497]]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
