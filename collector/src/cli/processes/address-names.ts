import type { Config } from '../../config/index.ts';
import type { AddressNames } from '../../http/index.ts';
import type { Metrics } from '../../metrics/index.ts';
import { createResolver } from '../../resolve/index.ts';

/** Names of addresses as the API asks for them, counted; null where they are not looked up. */
export function createAddressNames(
  config: Config['resolve'],
  metrics: Metrics,
  now: () => number,
): (AddressNames & { stop(): void }) | null {
  if (!config.enabled) return null;
  const resolver = createResolver(config, {
    now,
    observe: ({ outcome, durationMs }) => {
      metrics.add('ringflow_resolve_lookups_total', { outcome });
      metrics.observe('ringflow_resolve_lookup_duration_seconds', {}, durationMs / 1000);
      metrics.set('ringflow_resolve_cached_addresses', {}, resolver.status().cached);
    },
    hit: () => metrics.add('ringflow_resolve_cache_hits_total', {}),
  });
  return { most: config.max_addresses, names: resolver.resolve, stop: resolver.stop };
}
