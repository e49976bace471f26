import type { Board } from '../board.ts';
import { promSeries, promStat, promTable } from '../panels.ts';
import { promQuery } from '../query.ts';
import { greenUntil } from '../thresholds.ts';

const RECORDS = 'si:rec/s';

/** With the name of each exporter as a label, where it has one. */
function named(expr: string): string {
  return `(${expr}) * on (exporter) group_left (name) max by (exporter, name) (ringflow_exporter_info) or on (exporter) (${expr})`;
}

/** The collector itself, from Prometheus: does it get everything, does it keep everything, how long will there be room. */
export const HEALTH: Board = {
  uid: 'ringflow-health',
  title: 'Collector health',
  description: 'Loss ledger, exporters, queues, disk and queries of the collector, from Prometheus',
  view: 'health',
  prometheus: true,
  panels: [
    promStat({
      title: 'Ledger difference',
      description: 'Received minus stored, waiting and dropped records: anything but 0 is a bug',
      width: 5,
      height: 4,
      unit: 'short',
      thresholds: greenUntil([1, 'red']),
      targets: [promQuery('sum(abs(ringflow_ledger_difference_records))')],
    }),
    promStat({
      title: 'Records received',
      description: 'Per second, over five minutes',
      width: 5,
      height: 4,
      unit: RECORDS,
      targets: [promQuery('sum(rate(ringflow_ledger_received_records_total[5m]))')],
    }),
    promStat({
      title: 'Records waiting',
      description: 'In the inlet or in the spool, not yet in the store',
      width: 5,
      height: 4,
      unit: 'short',
      targets: [promQuery('sum(ringflow_ledger_waiting_records)')],
    }),
    promStat({
      title: 'Records dropped',
      description: 'In the time range, whatever the reason',
      width: 5,
      height: 4,
      unit: 'short',
      thresholds: greenUntil([1, 'orange']),
      targets: [promQuery('sum(increase(ringflow_ledger_dropped_records_total[$__range])) or vector(0)')],
    }),
    promStat({
      title: 'Exporters',
      description: 'Exporters that are known',
      width: 4,
      height: 4,
      unit: 'short',
      targets: [promQuery('sum(ringflow_exporters)')],
    }),
    promSeries({
      title: 'Where records went (records/s)',
      description: 'Received, stored and dropped records per second',
      width: 10,
      height: 8,
      unit: RECORDS,
      targets: [
        promQuery('sum(rate(ringflow_ledger_received_records_total[$__rate_interval]))', 'received', 'A'),
        promQuery('sum(rate(ringflow_ledger_stored_records_total[$__rate_interval]))', 'stored', 'B'),
        promQuery(
          'sum by (reason) (rate(ringflow_ledger_dropped_records_total[$__rate_interval]))',
          'dropped: {{reason}}',
          'C',
        ),
      ],
    }),
    promSeries({
      title: 'Lost on the way (units/s)',
      description: 'Gaps in sequence numbers, datagrams dropped by the kernel, datagrams that could not be decoded',
      width: 10,
      height: 8,
      unit: 'short',
      targets: [
        promQuery(
          'sum by (exporter) (rate(ringflow_sequence_lost_total[$__rate_interval]))',
          'sequence gap: {{exporter}}',
          'A',
        ),
        promQuery(
          'sum by (port) (rate(ringflow_inlet_kernel_drops_total[$__rate_interval]))',
          'kernel drop: port {{port}}',
          'B',
        ),
        promQuery(
          'sum by (exporter, reason) (rate(ringflow_datagram_losses_total[$__rate_interval]))',
          '{{reason}}: {{exporter}}',
          'C',
        ),
      ],
    }),
    {
      width: 4,
      column: [
        promStat({
          title: 'Oldest waiting segment',
          description: 'How late the store is',
          width: 4,
          height: 4,
          unit: 's',
          thresholds: greenUntil([30, 'orange'], [300, 'red']),
          targets: [promQuery('max(ringflow_spool_oldest_age_seconds)')],
        }),
        promStat({
          title: 'Flow hit ratio',
          description:
            'Share of the bytes that go into or out of the own networks, over an hour: 0 means that enrich.own is not what the exporters see',
          width: 4,
          height: 4,
          unit: 'percentunit',
          thresholds: [
            { value: null, color: 'red' },
            { value: 0.5, color: 'green' },
          ],
          targets: [
            promQuery(
              'sum(rate(ringflow_direction_bytes_total{direction=~"in|out"}[1h])) / sum(rate(ringflow_direction_bytes_total[1h]))',
            ),
          ],
        }),
      ],
    },
    promTable({
      title: 'Exporters',
      description:
        'How long each exporter has been silent, what it sends and what was lost on the way, over five minutes',
      width: 14,
      height: 9,
      columns: [
        {
          name: 'Silent for',
          unit: 's',
          expr: named('time() - max by (exporter, protocol) (ringflow_exporter_last_seen_timestamp_seconds)'),
          thresholds: greenUntil([60, 'orange'], [180, 'red']),
        },
        {
          name: 'Records',
          unit: RECORDS,
          expr: named('sum by (exporter, protocol) (rate(ringflow_exporter_records_total[5m]))'),
        },
        {
          name: 'Lost/s',
          unit: 'short',
          expr: named('sum by (exporter, protocol) (rate(ringflow_sequence_lost_total[5m]))'),
        },
      ],
    }),
    promSeries({
      title: 'Records by exporter (records/s)',
      description: 'Decoded flow records per second',
      width: 10,
      height: 9,
      unit: RECORDS,
      stacked: true,
      targets: [
        promQuery(
          'sum by (exporter, protocol) (rate(ringflow_exporter_records_total[$__rate_interval]))',
          '{{exporter}} {{protocol}}',
        ),
      ],
    }),
    promSeries({
      title: 'Disk',
      description: 'Bytes of each table and the budget of all',
      width: 12,
      height: 8,
      unit: 'bytes',
      targets: [
        promQuery('sum by (table) (ringflow_store_table_bytes)', '{{table}}', 'A'),
        promQuery('max(ringflow_store_limit_bytes)', 'budget', 'B'),
      ],
    }),
    promSeries({
      title: 'How far back',
      description: 'Age of the oldest data of each table',
      width: 12,
      height: 8,
      unit: 's',
      targets: [promQuery('time() - max by (table) (ringflow_store_oldest_timestamp_seconds > 0)', '{{table}}')],
    }),
    promSeries({
      title: 'Queries (95th percentile)',
      description: 'Time to answer by kind of query',
      width: 12,
      height: 8,
      unit: 's',
      targets: [
        promQuery(
          'histogram_quantile(0.95, sum by (kind, le) (rate(ringflow_query_duration_seconds_bucket[$__rate_interval])))',
          '{{kind}}',
        ),
      ],
    }),
    promSeries({
      title: 'Time to load a segment (95th percentile)',
      description: 'From the spool into the store',
      width: 12,
      height: 8,
      unit: 's',
      targets: [
        promQuery(
          'histogram_quantile(0.95, sum by (le) (rate(ringflow_store_load_duration_seconds_bucket[$__rate_interval])))',
          'load',
        ),
      ],
    }),
  ],
};
