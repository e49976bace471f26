import type { ProcessUsage } from './messages.ts';

/** Memory and CPU time of this process. */
export function readUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  return { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 };
}
