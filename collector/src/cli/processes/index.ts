/** The kinds of child process that `serve` forks. */
export type ProcessRole = 'inlet' | 'store';

/** Runs a child process; its code is loaded only here, so that the inlet never opens the engine. */
export function runProcess(role: string | undefined): void {
  // Terminals and service managers signal the whole group; only main acts on it and tells us.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => {});
  const failed = (error: unknown): void => {
    process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
    process.exit(1);
  };
  switch (role) {
    case 'inlet':
      void import('./inlet.ts').then(({ runInletProcess }) => runInletProcess(), failed);
      break;
    case 'store':
      void import('./store.ts').then(({ runStoreProcess }) => runStoreProcess(), failed);
      break;
    default:
      failed(new Error(`No process "${String(role)}"`));
  }
}
