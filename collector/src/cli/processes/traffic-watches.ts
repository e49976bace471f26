import { parseFilter } from '@ringflow/contract';
import type { Config } from '../../config/index.ts';
import type { Inventory } from '../../names/index.ts';
import { compileFilter } from '../../query/index.ts';
import type { TrafficWatch } from '../../store/index.ts';
import type { Log } from '../log.ts';

/** The configured watches as the store counts them; one that cannot be counted is left out. */
export function compileWatches(config: Config, inventory: Inventory, log: Log): TrafficWatch[] {
  return Object.entries(config.metrics.watches).flatMap(([name, filter]) => {
    const { tree, error } = parseFilter(filter, { sets: config.names.sets });
    if (error) return [];
    try {
      return [{ name, ...compileFilter(tree, inventory) }];
    } catch (compileError) {
      log.warn({ watch: name, err: compileError }, 'watch cannot be counted');
      return [];
    }
  });
}
