import { mkdtempSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDataDirectory } from './data-lock.ts';

describe('lockDataDirectory', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'ringflow-lock-'))));
  afterEach(() => rmSync(directory, { recursive: true }));
  const hold = (main: number, children: number[]): void =>
    writeFileSync(join(directory, 'ringflow.pid'), JSON.stringify({ main, children }));

  test('a second one is refused with its process and what to do', async () => {
    hold(4242, []);
    await expect(lockDataDirectory(directory, { isRunning: (pid) => pid === 4242 })).rejects.toMatchObject({
      message: `Another ringflow (process 4242) works in ${directory}`,
      hint: expect.stringContaining('RINGFLOW_DATA') as string,
    });
  });

  test.each([
    ['a process that is gone', '{"main":999999999,"children":[]}'],
    ['a file that was cut off', '{"ma'],
  ])('%s holds nothing', async (_, text) => {
    writeFileSync(join(directory, 'ringflow.pid'), text);
    const lock = await lockDataDirectory(directory, { isRunning: () => false });
    lock.release();
    expect(existsSync(join(directory, 'ringflow.pid'))).toBe(false);
  });

  test('the children of a killed main are waited for', async () => {
    hold(1111, [2222]);
    let looks = 0;
    const lock = await lockDataDirectory(directory, { isRunning: (pid) => pid === 2222 && ++looks < 4 });
    expect(looks).toBeGreaterThanOrEqual(4);
    lock.release();
  });
});
