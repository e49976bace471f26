import { fork, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import type { StoreProcessOptions } from './store-process.ts';
import type { World } from './world.ts';

/** A store that tests start as a process of its own and kill. */
export interface ForkedStore {
  /** Starts it and waits until it says that it is `ready`, or something else. */
  start(options?: StoreProcessOptions, until?: string): Promise<ChildProcess>;
  /** Kills it and waits until it is gone. */
  kill(child: ChildProcess): Promise<void>;
  /** Kills what still runs. */
  killAll(): void;
}

export async function createForkedStore(world: World): Promise<ForkedStore> {
  const script = join(world.directory, 'store-process.cjs');
  await build({
    entryPoints: [resolve(__dirname, 'store-process.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['chdb', '@clickhouse/client'],
    outfile: script,
    logLevel: 'error',
    // Packages are found from here, not from the temporary directory; import() would not look there.
    supported: { 'dynamic-import': false },
    banner: { js: `module.paths.unshift(...${JSON.stringify(module.paths)});` },
  });
  const children: ChildProcess[] = [];
  return {
    async start(options = {}, until = 'ready') {
      const child = fork(
        script,
        [
          world.spoolDirectory,
          join(world.directory, 'engine'),
          join(world.directory, 'ledger.json'),
          JSON.stringify(options),
        ],
        { execArgv: [] },
      );
      children.push(child);
      await new Promise<void>((ready, failed) => {
        child.once('exit', (code) => failed(new Error(`The store ended with ${code} before it was ready`)));
        child.on('message', (message) => message === until && ready());
      });
      return child;
    },
    async kill(child) {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGKILL');
      await ended;
    },
    killAll() {
      for (const child of children) child.kill('SIGKILL');
    },
  };
}
