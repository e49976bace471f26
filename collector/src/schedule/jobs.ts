/** Work that recurs. What each job does comes in from `cli/processes/main.ts`. */
export interface Job {
  readonly name: string;
  /** node-cron expression; six fields, the first one seconds. */
  readonly cron: string;
  readonly description: string;
}

/** Every scheduled job. None starts while its own last run still goes on. */
export const JOBS = [
  {
    name: 'retention',
    cron: '20 * * * * *',
    description: 'Drops partitions that are older than their age or beyond the disk budget',
  },
  {
    name: 'consolidation',
    cron: '*/10 * * * * *',
    description: 'Takes the peaks of closed buckets, and puts closed batches, hours and days into the top lists',
  },
  {
    name: 'scoreboard',
    cron: '35 * * * * *',
    description: 'Adds the busiest hosts of each complete five minutes to those overall, and writes their pages',
  },
  {
    name: 'threats',
    cron: '0 40 3 * * *',
    description: 'Looks for addresses that are in reputation lists now in the records of the last days',
  },
] as const satisfies readonly Job[];

export type JobName = (typeof JOBS)[number]['name'];
