import { ERRORS, RingflowError, type ErrorCode } from '@ringflow/contract';
import { ENRICH_COLUMNS } from '../../enrich/index.ts';
import type { HttpIngestConfig, IngestDoor } from '../../http/index.ts';
import { createIngest } from '../../ingest/index.ts';
import type { Metrics } from '../../metrics/index.ts';
import type { Channel, WireError } from './channel.ts';
import type { InletEvents, InletMethods, ProcessEvents } from './messages.ts';

export interface IngestDoorDeps {
  /** The inlet that is up, if one is. */
  readonly inlet: () => Channel<InletMethods, InletEvents, ProcessEvents> | undefined;
  readonly metrics: Metrics;
  readonly now: () => number;
}

/** The way from the API to the inlet for records of other collectors; undefined where none are taken. */
export function createIngestDoor(config: HttpIngestConfig, deps: IngestDoorDeps): IngestDoor | undefined {
  if (!config.enabled) return undefined;
  const { metrics } = deps;

  async function ask<K extends 'take' | 'progress'>(
    method: K,
    args: Parameters<InletMethods[K]>,
  ): Promise<ReturnType<InletMethods[K]>> {
    const inlet = deps.inlet();
    if (!inlet) throw unavailable();
    try {
      return (await inlet.call(method, args as never)) as ReturnType<InletMethods[K]>;
    } catch (error) {
      const { code, message, hint } = error as WireError;
      if (code === undefined || !Object.hasOwn(ERRORS, code)) throw unavailable(error);
      throw new RingflowError(code as ErrorCode, message, { hint, cause: error });
    }
  }

  const ingest = createIngest(config, {
    columns: ENRICH_COLUMNS,
    deliver: (delivery) => ask('take', [delivery]),
    now: deps.now,
  });

  function show(): void {
    const { batches, records, ignoredFields, waitingBytes } = ingest.status();
    for (const [outcome, count] of Object.entries(batches))
      metrics.total('ringflow_ingest_batches_total', { outcome }, count, 'main');
    for (const [outcome, count] of Object.entries(records))
      metrics.total('ringflow_ingest_records_total', { outcome }, count, 'main');
    metrics.total('ringflow_ingest_ignored_fields_total', {}, ignoredFields, 'main');
    metrics.set('ringflow_ingest_waiting_bytes', {}, waitingBytes);
  }

  return {
    take: (body, source) => ingest.take(body, source).finally(show),
    progress: (source) => ask('progress', [source]),
  };
}

function unavailable(cause?: unknown): RingflowError {
  return new RingflowError('ingest_unavailable', 'The inlet is not there right now', {
    hint: 'Send the same batch again in a second',
    cause,
  });
}
