import { readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import type { Remark } from '../cuflow/index.ts';
import { UsageError, type Io } from './command.ts';

/** `CUFlow.cf:12: message`, a line each. */
export function formatRemarks(file: string, remarks: readonly Remark[]): string {
  return remarks.map(({ line, message }) => `${file}:${line}: ${message}\n`).join('');
}

/** @throws UsageError when the file cannot be read */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`Cannot read ${path} (${(error as NodeJS.ErrnoException).code})`, 'Name a file that exists');
  }
}

/**
 * Writes a configuration to a file that is not there yet, or to standard output.
 *
 * @param heading first line of the comment in front
 */
export function writeConfig(config: object, heading: string, output: string | undefined, io: Io): void {
  const bare = JSON.parse(JSON.stringify(config), (_, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length === 0
      ? undefined
      : value,
  ) as object | undefined;
  const text = `# ${heading}\n# "ringflow check" prints it with everything that is at its default.\n${bare ? stringify(bare, { lineWidth: 120 }) : '{}\n'}`;
  if (output === undefined) {
    io.out(text);
    return;
  }
  try {
    writeFileSync(output, text, { flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === 'EEXIST' ? `${output} is there already` : `Cannot write ${output} (${code})`,
      'Name a new file, and take over from it what you want',
    );
  }
  io.err(`${output}: written\n`);
}
