import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from './generate.ts';

// `npm run dashboards`: writes what is generated, removes what is not generated any more.
const folder = join(process.cwd(), 'dashboards', 'json');
const files = generate();
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) if (name.endsWith('.json') && !files.has(name)) rmSync(join(folder, name));
for (const [name, content] of files) writeFileSync(join(folder, name), content);
console.log(`${files.size} dashboards in dashboards/json`);
