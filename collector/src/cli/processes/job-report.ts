import type { Metrics } from '../../metrics/index.ts';
import type { JobStatus } from '../../schedule/index.ts';
import type { Log } from '../log.ts';

/** Says on `/metrics` how each run of a job went, and in the log when it failed. */
export function createJobReport(metrics: Metrics, log: Log): (status: JobStatus) => void {
  return ({ job, lastSuccessMs, lastDurationMs, failures, lastError }) => {
    if (lastSuccessMs > 0)
      metrics.set('ringflow_job_last_success_timestamp_seconds', { task: job }, lastSuccessMs / 1000);
    metrics.set('ringflow_job_last_duration_seconds', { task: job }, lastDurationMs / 1000);
    metrics.total('ringflow_job_failures_total', { task: job }, failures, 'main');
    if (lastError !== undefined) log.error({ job, error: lastError }, 'job failed');
  };
}
