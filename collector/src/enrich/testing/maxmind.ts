import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** MaxMind's public test databases: `RINGFLOW_MAXMIND_TEST_DATA`, or beside the project. Used by tests only. */
export const MAXMIND = process.env['RINGFLOW_MAXMIND_TEST_DATA'] ?? resolve(process.cwd(), '../shared/maxmind');

/** Path of a test database. */
export function maxmindFile(name: string): string {
  return join(MAXMIND, name);
}

/** `describe` where the databases are; elsewhere says so and skips. */
export function describeWithMaxmind(name: string, tests: () => void): void {
  const isThere = existsSync(maxmindFile('GeoLite2-City-Test.mmdb'));
  if (!isThere)
    process.stderr.write(`no databases in ${MAXMIND} (set RINGFLOW_MAXMIND_TEST_DATA): tests are skipped\n`);
  // jest runs what stands in a skipped block, too: the tests list the files.
  if (isThere) describe(name, tests);
  else test.skip(name, () => undefined);
}
