import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { createFolder, runCommand } from '../collector/src/cli/testing/collector.ts';
import { documentedBlocks } from './testing/documented.ts';

const blocks = documentedBlocks('docs/how-to/rings.md');
const folder = createFolder();
afterAll(() => folder.remove());

test('docs: the example of archives is a configuration, and the forecast is of it', async () => {
  writeFileSync(join(folder.path, 'ringflow.yml'), blocks.get('archives') ?? 'nothing');
  const [, args] = /^ringflow (.*)\n$/.exec(blocks.get('forecast') ?? '') ?? [];
  const { code, stdout, stderr } = await runCommand((args ?? '').split(' '), folder.path);
  expect([code, stderr]).toEqual([0, 'ringflow.yml: no problems\n']);
  const printed = parse(stdout) as { store: { archives: Record<string, { seconds: unknown; share: unknown }> } };
  expect(printed.store.archives['raw']).toEqual({ seconds: '30d', share: 0.6 });
  const forecast = stdout.split('\n').filter((line) => line.startsWith('# '));
  expect(forecast[0]).toBe('# 200 GiB will hold, at 10,000 flows/s (as asked):');
  expect(forecast.slice(1).map((line) => line.split(/ +/)[1])).toEqual(Object.keys(printed.store.archives));
});
