import { schedule, type ScheduledTask, type TaskOptions } from 'node-cron';
import { JOBS, type JobName } from './jobs.ts';

export { JOBS } from './jobs.ts';
export type { Job, JobName } from './jobs.ts';

/** How the last run of a job went. */
export interface JobStatus {
  readonly job: JobName;
  readonly running: boolean;
  /** Milliseconds since the epoch; 0 = never. */
  readonly lastSuccessMs: number;
  readonly lastDurationMs: number;
  readonly failures: number;
  readonly lastError?: string;
}

export interface ScheduleDeps {
  readonly work: Readonly<Record<JobName, () => Promise<void>>>;
  now(): number;
  /** Told what node-cron notices, such as a time that was missed; it would print it otherwise, between the lines of a log. */
  noticed(message: string): void;
  /** Called after each run. */
  ran?(status: JobStatus): void;
}

export interface Schedule {
  start(): void;
  /** Starts no more runs and waits for those that go on. */
  stop(): Promise<void>;
  status(): JobStatus[];
  /** Runs a job now; joins the run that goes on, if one does. */
  runNow(job: JobName): Promise<void>;
}

/** Runs the jobs of `jobs.ts` at their times; a job that is still running is not started again. */
export function createSchedule(deps: ScheduleDeps): Schedule {
  const states = new Map<JobName, JobStatus>(
    JOBS.map(({ name }) => [name, { job: name, running: false, lastSuccessMs: 0, lastDurationMs: 0, failures: 0 }]),
  );
  const runs = new Map<JobName, Promise<void>>();
  let tasks: ScheduledTask[] = [];

  const run = async (job: JobName): Promise<void> => {
    const before = states.get(job) as JobStatus;
    states.set(job, { ...before, running: true });
    const startedMs = deps.now();
    let after: JobStatus;
    try {
      await deps.work[job]();
      after = {
        job,
        running: false,
        lastSuccessMs: deps.now(),
        lastDurationMs: deps.now() - startedMs,
        failures: before.failures,
      };
    } catch (error) {
      after = {
        ...before,
        running: false,
        lastDurationMs: deps.now() - startedMs,
        failures: before.failures + 1,
        lastError: error instanceof Error ? error.message : String(error),
      };
    }
    states.set(job, after);
    deps.ran?.(after);
  };
  const runNow = (job: JobName): Promise<void> => {
    const current = runs.get(job);
    if (current) return current;
    const next = run(job).finally(() => runs.delete(job));
    runs.set(job, next);
    return next;
  };

  return {
    start: () => {
      const note = (message: string | Error): void => deps.noticed(String(message));
      const logger: TaskOptions['logger'] = { debug: note, info: note, warn: note, error: note };
      tasks = JOBS.map(({ name, cron }) => schedule(cron, () => runNow(name), { name, logger }));
    },
    stop: async () => {
      for (const task of tasks) await task.destroy();
      tasks = [];
      await Promise.all(runs.values());
    },
    status: () => [...states.values()],
    runNow,
  };
}
