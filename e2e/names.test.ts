import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFolder, runCommand } from '../collector/src/cli/testing/collector.ts';
import { documentedBlocks } from './testing/documented.ts';

const blocks = documentedBlocks('docs/how-to/names.md');
const folder = createFolder();
afterAll(() => folder.remove());

test.each(['names', 'snmp', 'classify'])('docs: the example of %s is a configuration', async (name) => {
  writeFileSync(join(folder.path, `${name}.yml`), blocks.get(name) ?? 'nothing');
  const { code, stderr } = await runCommand(['check', `${name}.yml`], folder.path);
  expect([code, stderr]).toEqual([0, `${name}.yml: no problems\n`]);
});

test('docs: the dry run of the example', async () => {
  writeFileSync(join(folder.path, 'ringflow.yml'), blocks.get('classify') ?? 'nothing');
  const [, args] = /^ringflow (.*)\n$/.exec(blocks.get('try-facts') ?? '') ?? [];
  const words = [...(args ?? '').matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? (bare as string));
  const { code, stdout } = await runCommand(words, folder.path);
  expect([code, stdout.replace(/ +/g, ' ')]).toEqual([
    0,
    [
      'interface',
      ' connectivity transit names.classify.interfaces[0]',
      ' provider ACME names.classify.interfaces[0]',
      ' boundary external names.classify.interfaces[0]',
      '',
    ].join('\n'),
  ]);
});
