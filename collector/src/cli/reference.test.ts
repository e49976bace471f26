import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REFERENCE } from './reference.ts';

const FOLDER = join(__dirname, '../../../docs/reference');

test.each(Object.entries(REFERENCE))(
  'docs/reference/%s is what the tables say (npm run golden rewrites it)',
  (name, write) => {
    const path = join(FOLDER, name);
    if (process.env['UPDATE_GOLDEN']) {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(path, write());
    }
    expect(existsSync(path) ? readFileSync(path, 'utf8') : '').toBe(write());
  },
);
