import { applyConfig, type Config, type ConfigChange, type ReadConfig } from '../../config/index.ts';
import type { Metrics } from '../../metrics/index.ts';
import type { Log } from '../log.ts';

export interface ReloadDeps {
  /** Reads file and environment anew. */
  readonly read: () => ReadConfig;
  /**
   * Does all that can fail, with the configuration as it would be; what it returns completes the change and cannot fail.
   * Rejects, with everything as before, when something is wrong.
   */
  readonly prepare: (candidate: Config) => Promise<() => void>;
  readonly metrics: Metrics;
  readonly now: () => number;
  readonly log: Log;
}

/** Takes over a changed configuration while everything runs. */
export interface Reload {
  /** Resolves when it is over, well or not; what was wrong is in the log. */
  run(): Promise<void>;
  /** The configuration that the processes were started with counts as taken over. */
  started(): void;
}

const REFUSED = 'configuration not reloaded, the one before stays';

/** @param live what the processes run with; its run-time keys are changed in place */
export function createReload(live: Config, deps: ReloadDeps): Reload {
  const { log, metrics } = deps;
  let last: Promise<void> = Promise.resolve();

  function succeeded(): void {
    metrics.set('ringflow_config_last_reload_successful', {}, 1);
    metrics.set('ringflow_config_last_reload_success_timestamp_seconds', {}, deps.now() / 1000);
  }

  function tell({ applied, restart }: ConfigChange): void {
    // Keys, never values: some are secrets.
    if (restart.length > 0) log.warn({ keys: restart }, `these keys change with a restart only: ${restart.join(', ')}`);
    log.info({ changed: applied }, 'configuration reloaded');
  }

  async function reload(): Promise<void> {
    const { config: next, problems } = deps.read();
    for (const { source, line, key, message, hint } of problems) {
      const place = `${source}${line === undefined ? '' : `:${line}`}`;
      log.error({ file: source, line, key, hint, error: `${place}: ${key ? `${key}: ` : ''}${message}` }, REFUSED);
    }
    if (problems.length > 0) {
      metrics.set('ringflow_config_last_reload_successful', {}, 0);
      return;
    }
    const candidate = structuredClone(live);
    applyConfig(candidate, next);
    try {
      const complete = await deps.prepare(candidate);
      const change = applyConfig(live, next);
      complete();
      succeeded();
      tell(change);
    } catch (error) {
      metrics.set('ringflow_config_last_reload_successful', {}, 0);
      log.error({ err: error }, REFUSED);
    }
  }

  return {
    run: () => (last = last.then(reload)),
    started: succeeded,
  };
}
