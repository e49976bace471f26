import type { Config } from '../../config/index.ts';

/**
 * Options of jemalloc, the engine's allocator (jemalloc(3)): milliseconds until freed memory goes back to the system. Of
 * itself it takes ten seconds, while at 100,000 records/s a segment comes in every 2.6: the engine used 168 of the 393 MiB
 * that the process had for itself (docs/benchmarks.md).
 */
const ALLOCATOR = 'dirty_decay_ms:500,muzzy_decay_ms:0';

/** Variables that the store process must be started with: libraries read them before our code runs. */
export function storeEnvironment({ query_slots }: Config['store']): Record<string, string> {
  return {
    // Each session of the engine keeps a thread busy while its statement runs; files need some, too.
    UV_THREADPOOL_SIZE: String(query_slots + 8),
    JE_MALLOC_CONF: ALLOCATOR,
  };
}
