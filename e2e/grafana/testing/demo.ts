import {
  createFolder,
  startCollector,
  until,
  type RunningCollector,
} from '../../../collector/src/cli/testing/collector.ts';

/** A collector with the demo's traffic: its history, and what goes on. */
export interface DemoCollector extends RunningCollector {
  /** Its folder, for whoever stands beside it. */
  readonly folder: string;
  stop(): Promise<void>;
}

/** Returns when the history is there. */
export async function startDemoCollector(): Promise<DemoCollector> {
  const folder = createFolder('demo: {flows_per_second: 100, history_flows_per_minute: 300}\n');
  const collector = await startCollector(folder.path, 'demo');
  const stop = async () => {
    collector.kill('SIGTERM');
    await collector.exited;
    folder.remove();
  };
  try {
    await until(
      async () => /Filled in the last/.test(collector.output()),
      120_000,
      () => collector.output(),
    );
    // What was sent is not in the store yet; live traffic goes on, so some of it always waits.
    await until(async () => (await collector.status()).ledger.waiting < 2000, 150_000, 'the history is not stored');
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...collector, folder: folder.path, stop };
}
