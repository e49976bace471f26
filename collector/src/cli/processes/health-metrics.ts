import type { Ledger } from '@ringflow/contract';
import type { InletStatus } from '../../inlet/index.ts';
import {
  createBoundedLabels,
  OVERFLOW_LABEL,
  type GaugeName,
  type Metrics,
  type MetricsConfig,
} from '../../metrics/index.ts';
import type { StoreStatus } from '../../store/index.ts';
import type { Inventory } from '../../names/index.ts';
import type { ProcessUsage } from './messages.ts';

/** Sources of totals, see `Metrics.total`. */
export type TotalsSource = 'inlet' | 'store' | 'ledger';

/** Puts what the processes report on `/metrics`. */
export interface HealthMetrics {
  inlet(status: InletStatus, nowMs: number): void;
  store(status: StoreStatus): void;
  ledger(ledger: Ledger): void;
  names(inventory: Inventory): void;
  /** What a process takes of the machine. */
  usage(process: string, usage: ProcessUsage): void;
  /** The file system of the data directory; null where it cannot be read. */
  disk(disk: { readonly freeBytes: number; readonly totalBytes: number } | null): void;
}

const DAY_SECONDS = 86_400;

const PER_EXPORTER: readonly GaugeName[] = [
  'ringflow_exporter_clock_offset_seconds',
  'ringflow_exporter_last_seen_timestamp_seconds',
  'ringflow_exporter_sampling_rate',
  'ringflow_template_age_seconds',
];

const PER_FILE: readonly GaugeName[] = [
  'ringflow_enrich_file_usable',
  'ringflow_enrich_file_entries',
  'ringflow_enrich_file_modified_timestamp_seconds',
  'ringflow_enrich_file_loaded_timestamp_seconds',
];

const PER_LIST: readonly GaugeName[] = [
  'ringflow_reputation_list_entries',
  'ringflow_reputation_list_problems',
  'ringflow_reputation_list_timestamp_seconds',
  'ringflow_reputation_list_old',
];

/** Sums of one exporter and protocol over its ports and domains. */
interface Sum {
  readonly exporter: string;
  readonly protocol: string;
  datagrams: number;
  records: number;
  lost: number;
  reordered: number;
  restarts: number;
  lastSeenMs: number;
  clockOffsetMs: number | null;
  samplingRate: number;
  templateMs: number;
  readonly losses: Map<string, number>;
}

/** What the configuration says about the disk; may change while it is held. */
export interface DiskLimits {
  readonly spool: { readonly max_bytes: number; readonly min_free_bytes: number };
  readonly store: { readonly max_bytes: number };
}

export function createHealthMetrics(config: MetricsConfig, limits: DiskLimits, metrics: Metrics): HealthMetrics {
  const labels = createBoundedLabels(() => config.max_exporters);

  /** One sum per exporter and protocol: domains and ports are no labels, an exporter may have thousands. */
  function sumUp(status: InletStatus): Sum[] {
    const sums = new Map<string, Sum>();
    for (const session of status.exporters.exporters) {
      const exporter = labels.admit(session.exporter) ? session.exporter : OVERFLOW_LABEL;
      const key = `${exporter} ${session.protocol}`;
      const sum: Sum = sums.get(key) ?? {
        exporter,
        protocol: session.protocol,
        datagrams: 0,
        records: 0,
        lost: 0,
        reordered: 0,
        restarts: 0,
        lastSeenMs: 0,
        clockOffsetMs: null,
        samplingRate: 0,
        templateMs: 0,
        losses: new Map(),
      };
      sums.set(key, sum);
      sum.datagrams += session.datagrams;
      sum.records += session.records;
      sum.lost += session.sequence.lost;
      sum.reordered += session.sequence.reordered;
      sum.restarts += session.restarts;
      sum.templateMs = Math.max(sum.templateMs, session.templateMs);
      if (session.lastSeenMs >= sum.lastSeenMs) {
        sum.lastSeenMs = session.lastSeenMs;
        sum.clockOffsetMs = session.clockOffsetMs;
        if (session.samplingRate > 0) sum.samplingRate = session.samplingRate;
      }
      for (const [reason, count] of Object.entries(session.losses))
        sum.losses.set(reason, (sum.losses.get(reason) ?? 0) + count);
    }
    return [...sums.values()];
  }

  function exporters(status: InletStatus, nowMs: number): void {
    const sums = sumUp(status);
    for (const name of PER_EXPORTER) metrics.clear(name);
    const losses = new Map<string, { exporter: string; reason: string; count: number }>();
    for (const sum of sums) {
      const pair = { exporter: sum.exporter, protocol: sum.protocol };
      metrics.total('ringflow_exporter_datagrams_total', pair, sum.datagrams, 'inlet');
      metrics.total('ringflow_exporter_records_total', pair, sum.records, 'inlet');
      metrics.total('ringflow_sequence_lost_total', pair, sum.lost, 'inlet');
      metrics.total('ringflow_sequence_reordered_total', pair, sum.reordered, 'inlet');
      metrics.total('ringflow_exporter_restarts_total', pair, sum.restarts, 'inlet');
      metrics.set('ringflow_exporter_last_seen_timestamp_seconds', pair, sum.lastSeenMs / 1000);
      if (sum.clockOffsetMs !== null)
        metrics.set('ringflow_exporter_clock_offset_seconds', pair, sum.clockOffsetMs / 1000);
      metrics.set('ringflow_exporter_sampling_rate', { exporter: sum.exporter }, sum.samplingRate);
      if (sum.templateMs > 0)
        metrics.set(
          'ringflow_template_age_seconds',
          { exporter: sum.exporter },
          Math.max(0, (nowMs - sum.templateMs) / 1000),
        );
      for (const [reason, count] of sum.losses) {
        const key = `${sum.exporter} ${reason}`;
        losses.set(key, { exporter: sum.exporter, reason, count: (losses.get(key)?.count ?? 0) + count });
      }
    }
    for (const { exporter, reason, count } of losses.values())
      metrics.total('ringflow_datagram_losses_total', { exporter, reason }, count, 'inlet');
    metrics.set('ringflow_exporters', {}, new Set(status.exporters.exporters.map(({ exporter }) => exporter)).size);
  }

  function files(list: InletStatus['enrich']['files']): void {
    for (const name of PER_FILE) metrics.clear(name);
    for (const { path, loadedMs, modifiedMs, entries, error, loads, failures } of list) {
      const file = { file: path };
      metrics.set('ringflow_enrich_file_usable', file, error === null ? 1 : 0);
      metrics.set('ringflow_enrich_file_entries', file, entries);
      metrics.set('ringflow_enrich_file_modified_timestamp_seconds', file, modifiedMs / 1000);
      metrics.set('ringflow_enrich_file_loaded_timestamp_seconds', file, loadedMs / 1000);
      metrics.total('ringflow_enrich_file_loads_total', file, loads, 'inlet');
      metrics.total('ringflow_enrich_file_failures_total', file, failures, 'inlet');
    }
  }

  function reputation(lists: InletStatus['enrich']['reputation']): void {
    for (const name of PER_LIST) metrics.clear(name);
    for (const { list, accepted, broken, dateMs, isOld, isExpired, failures, hits } of lists) {
      metrics.set('ringflow_reputation_list_entries', { list }, accepted);
      metrics.set('ringflow_reputation_list_problems', { list }, broken);
      metrics.set('ringflow_reputation_list_timestamp_seconds', { list }, dateMs / 1000);
      metrics.set('ringflow_reputation_list_old', { list }, isOld || isExpired ? 1 : 0);
      metrics.total('ringflow_reputation_list_failures_total', { list }, failures, 'inlet');
      for (const [category, count] of Object.entries(hits))
        metrics.total('ringflow_reputation_hits_total', { list, category }, count, 'inlet');
    }
  }

  function addresses({ directions, cacheHits, cacheMisses }: InletStatus['enrich']['addresses']): void {
    for (const [direction, { records, bytes }] of Object.entries(directions)) {
      metrics.total('ringflow_direction_records_total', { direction }, records, 'inlet');
      metrics.total('ringflow_direction_bytes_total', { direction }, bytes, 'inlet');
    }
    metrics.total('ringflow_address_cache_hits_total', {}, cacheHits, 'inlet');
    metrics.total('ringflow_address_cache_misses_total', {}, cacheMisses, 'inlet');
  }

  function counting({ sampling, duplicates }: InletStatus['enrich']): void {
    const unknown = new Map<string, number>();
    for (const { exporter, records } of sampling.unknown) {
      const label = labels.admit(exporter) ? exporter : OVERFLOW_LABEL;
      unknown.set(label, (unknown.get(label) ?? 0) + records);
    }
    for (const [exporter, records] of unknown)
      metrics.total('ringflow_sampling_unknown_records_total', { exporter }, records, 'inlet');
    for (const [reason, records] of Object.entries(duplicates))
      metrics.total('ringflow_duplicate_records_total', { reason }, records, 'inlet');
  }

  function inlet(status: InletStatus, nowMs: number): void {
    for (const socket of status.sockets) {
      const port = { port: String(socket.port) };
      metrics.total('ringflow_inlet_datagrams_total', port, socket.datagrams, 'inlet');
      metrics.total('ringflow_inlet_bytes_total', port, socket.bytes, 'inlet');
      metrics.total('ringflow_inlet_kernel_drops_total', port, socket.kernelDrops, 'inlet');
      metrics.set('ringflow_inlet_receive_buffer_bytes', port, socket.grantedBytes);
      metrics.set('ringflow_inlet_receive_queue_bytes', port, socket.queueBytes);
    }
    for (const [reason, count] of Object.entries(status.exporters.refused))
      metrics.total('ringflow_inlet_refused_datagrams_total', { reason }, count, 'inlet');
    metrics.total('ringflow_inlet_seals_total', {}, status.seals, 'inlet');
    files(status.enrich.files);
    reputation(status.enrich.reputation);
    addresses(status.enrich.addresses);
    counting(status.enrich);
    exporters(status, nowMs);
    const { decoder } = status;
    metrics.set('ringflow_templates', {}, decoder.templates);
    metrics.total('ringflow_template_changes_total', {}, status.templateChanges, 'inlet');
    metrics.total('ringflow_template_fallbacks_total', {}, decoder.templateFallbacks, 'inlet');
    metrics.set('ringflow_parked_sets', {}, decoder.parkedSets);
    metrics.set('ringflow_parked_bytes', {}, decoder.parkedBytes);
    metrics.total('ringflow_parked_sets_total', {}, decoder.parkedTotal, 'inlet');
    metrics.total('ringflow_parked_replayed_sets_total', {}, decoder.replayedTotal, 'inlet');
    metrics.total('ringflow_parked_lost_sets_total', { reason: 'expired' }, decoder.expiredTotal, 'inlet');
    metrics.total('ringflow_parked_lost_sets_total', { reason: 'evicted' }, decoder.evictedTotal, 'inlet');
    metrics.total('ringflow_parked_lost_sets_total', { reason: 'discarded' }, decoder.discardedTotal, 'inlet');
  }

  function store(status: StoreStatus): void {
    metrics.set('ringflow_spool_bytes', {}, status.waitingBytes);
    metrics.set('ringflow_spool_limit_bytes', {}, limits.spool.max_bytes);
    metrics.set('ringflow_spool_segments', {}, status.waitingSegments);
    metrics.set('ringflow_spool_oldest_age_seconds', {}, status.oldestWaitingSeconds);
    metrics.total('ringflow_store_loaded_segments_total', {}, status.loadedSegments, 'store');
    metrics.total('ringflow_store_loaded_records_total', {}, status.loadedRows, 'store');
    metrics.total('ringflow_store_replayed_segments_total', {}, status.replayedSegments, 'store');
    metrics.total('ringflow_store_load_failures_total', {}, status.loadFailures, 'store');
    metrics.set('ringflow_top_lists_lag_seconds', {}, status.topLists.lagSeconds);
    metrics.total('ringflow_top_lists_batches_total', {}, status.topLists.batches, 'store');
    metrics.total('ringflow_top_lists_late_records_total', {}, status.topLists.lateRecords, 'store');
    metrics.total('ringflow_top_lists_failures_total', {}, status.topLists.failures, 'store');
    metrics.set('ringflow_top_lists_last_batch_seconds', {}, status.topLists.lastBatchMs / 1000);
    metrics.set('ringflow_store_limit_bytes', {}, limits.store.max_bytes);
    for (const { table, archive, sizeBytes, rows, oldestMs, budgetBytes, ...more } of status.tables) {
      metrics.set('ringflow_store_table_bytes', { table }, sizeBytes);
      metrics.set('ringflow_store_table_rows', { table }, rows);
      if (oldestMs !== null) metrics.set('ringflow_store_oldest_timestamp_seconds', { table }, oldestMs / 1000);
      metrics.set('ringflow_archive_bytes', { archive }, sizeBytes);
      metrics.set('ringflow_archive_budget_bytes', { archive }, budgetBytes);
      metrics.set('ringflow_archive_growth_bytes_per_second', { archive }, more.growthBytesPerDay / DAY_SECONDS);
      if (more.reachSeconds !== null) metrics.set('ringflow_archive_reach_seconds', { archive }, more.reachSeconds);
      if (oldestMs !== null) metrics.set('ringflow_archive_oldest_timestamp_seconds', { archive }, oldestMs / 1000);
    }
  }

  return {
    inlet,
    store,
    ledger: (ledger) => {
      metrics.total('ringflow_ledger_received_records_total', {}, ledger.received, 'ledger');
      metrics.total('ringflow_ledger_stored_records_total', {}, ledger.stored, 'ledger');
      metrics.set('ringflow_ledger_waiting_records', {}, ledger.waiting);
      metrics.set('ringflow_ledger_difference_records', {}, ledger.difference);
      const dropped = new Map<string, { reason: string; exporter: string; records: number }>();
      for (const { reason, exporter, records } of ledger.dropped) {
        const label = labels.admit(exporter) ? exporter : OVERFLOW_LABEL;
        const key = `${reason} ${label}`;
        dropped.set(key, { reason, exporter: label, records: (dropped.get(key)?.records ?? 0) + records });
      }
      for (const { reason, exporter, records } of dropped.values())
        metrics.total('ringflow_ledger_dropped_records_total', { reason, exporter }, records, 'ledger');
    },
    disk: (disk) => {
      if (!disk) return;
      metrics.set('ringflow_disk_free_bytes', {}, disk.freeBytes);
      metrics.set('ringflow_disk_size_bytes', {}, disk.totalBytes);
      metrics.set('ringflow_spool_min_free_bytes', {}, limits.spool.min_free_bytes);
    },
    usage: (process, { residentBytes, cpuSeconds }) => {
      metrics.set('ringflow_process_resident_memory_bytes', { process }, residentBytes);
      metrics.total('ringflow_process_cpu_seconds_total', { process }, cpuSeconds, process);
    },
    names: (inventory) => {
      metrics.clear('ringflow_exporter_info');
      for (const [exporter, name] of inventory.exporterNames())
        metrics.set('ringflow_exporter_info', { exporter, name }, 1);
      metrics.clear('ringflow_interface_info');
      metrics.clear('ringflow_interface_speed_bytes_per_second');
      for (const { exporter, index, name, description, speedBps } of inventory
        .interfaces()
        .slice(0, config.max_interfaces)) {
        metrics.set('ringflow_interface_info', { exporter, interface: String(index), name, description }, 1);
        if (speedBps > 0)
          metrics.set(
            'ringflow_interface_speed_bytes_per_second',
            { exporter, interface: String(index) },
            speedBps / 8,
          );
      }
    },
  };
}
