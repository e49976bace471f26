/** How a series behaves; names follow https://prometheus.io/docs/practices/naming/. */
export interface MetricDefinition {
  readonly name: `ringflow_${string}`;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

/** From half a millisecond to a minute. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/**
 * Every series of `/metrics`. Label values come from the configuration, from fixed tables or from exporters and
 * interfaces up to a bound (`other` beyond it), never from packet contents.
 */
export const METRICS = [
  // Traffic, counted when a segment reaches the store. Bytes and packets are scaled by the sampling rate.
  { name: 'ringflow_traffic_bytes_total', type: 'counter', labels: ['exporter'], help: 'Bytes by exporter, scaled by the sampling rate' },
  { name: 'ringflow_traffic_packets_total', type: 'counter', labels: ['exporter'], help: 'Packets by exporter, scaled by the sampling rate' },
  { name: 'ringflow_traffic_records_total', type: 'counter', labels: ['exporter'], help: 'Flow records by exporter' },
  { name: 'ringflow_interface_bytes_total', type: 'counter', labels: ['exporter', 'interface', 'direction'], help: 'Bytes by interface (ifIndex) and direction, scaled by the sampling rate' },
  { name: 'ringflow_interface_packets_total', type: 'counter', labels: ['exporter', 'interface', 'direction'], help: 'Packets by interface (ifIndex) and direction, scaled by the sampling rate' },
  { name: 'ringflow_interface_records_total', type: 'counter', labels: ['exporter', 'interface', 'direction'], help: 'Flow records by interface (ifIndex) and direction' },
  { name: 'ringflow_interface_info', type: 'gauge', labels: ['exporter', 'interface', 'name', 'description'], help: 'Always 1: the name and description of an interface, as the exporter or the configuration says' },
  { name: 'ringflow_interface_speed_bytes_per_second', type: 'gauge', labels: ['exporter', 'interface'], help: 'Speed of an interface in bytes per second, where it is known' },
  { name: 'ringflow_exporter_info', type: 'gauge', labels: ['exporter', 'name'], help: 'Always 1: the name of an exporter' },
  { name: 'ringflow_protocol_bytes_total', type: 'counter', labels: ['protocol'], help: 'Bytes by IP protocol, scaled by the sampling rate' },
  { name: 'ringflow_protocol_packets_total', type: 'counter', labels: ['protocol'], help: 'Packets by IP protocol, scaled by the sampling rate' },
  { name: 'ringflow_protocol_records_total', type: 'counter', labels: ['protocol'], help: 'Flow records by IP protocol' },
  { name: 'ringflow_service_bytes_total', type: 'counter', labels: ['service'], help: 'Bytes by configured service, scaled by the sampling rate' },
  { name: 'ringflow_service_packets_total', type: 'counter', labels: ['service'], help: 'Packets by configured service, scaled by the sampling rate' },
  { name: 'ringflow_service_records_total', type: 'counter', labels: ['service'], help: 'Flow records by configured service' },
  { name: 'ringflow_watch_bytes_total', type: 'counter', labels: ['watch'], help: 'Bytes that a configured filter matched, scaled by the sampling rate' },
  { name: 'ringflow_watch_packets_total', type: 'counter', labels: ['watch'], help: 'Packets that a configured filter matched, scaled by the sampling rate' },
  { name: 'ringflow_watch_records_total', type: 'counter', labels: ['watch'], help: 'Flow records that a configured filter matched' },

  // Receiving.
  { name: 'ringflow_inlet_datagrams_total', type: 'counter', labels: ['port'], help: 'Datagrams received' },
  { name: 'ringflow_inlet_bytes_total', type: 'counter', labels: ['port'], help: 'UDP payload bytes received' },
  { name: 'ringflow_inlet_refused_datagrams_total', type: 'counter', labels: ['reason'], help: 'Datagrams that were not decoded: sender not allowed, or a bound was reached' },
  { name: 'ringflow_inlet_kernel_drops_total', type: 'counter', labels: ['port'], help: 'Datagrams that the kernel dropped because the receive buffer was full' },
  { name: 'ringflow_inlet_receive_buffer_bytes', type: 'gauge', labels: ['port'], help: 'Receive buffer that the kernel granted' },
  { name: 'ringflow_inlet_receive_queue_bytes', type: 'gauge', labels: ['port'], help: 'Bytes that wait in the receive buffer' },
  { name: 'ringflow_inlet_seals_total', type: 'counter', labels: [], help: 'Segments that were sealed' },

  // Decoding and exporters.
  { name: 'ringflow_exporter_datagrams_total', type: 'counter', labels: ['exporter', 'protocol'], help: 'Datagrams by exporter and protocol' },
  { name: 'ringflow_exporter_records_total', type: 'counter', labels: ['exporter', 'protocol'], help: 'Flow records decoded by exporter and protocol' },
  { name: 'ringflow_datagram_losses_total', type: 'counter', labels: ['exporter', 'reason'], help: 'Datagrams, sets or samples that could not be decoded, by exporter and reason' },
  { name: 'ringflow_sequence_lost_total', type: 'counter', labels: ['exporter', 'protocol'], help: 'Units missing in the sequence numbers: flows for NetFlow v5, datagrams for v9, records for IPFIX, samples for sFlow' },
  { name: 'ringflow_sequence_reordered_total', type: 'counter', labels: ['exporter', 'protocol'], help: 'Datagrams that came after a later one' },
  { name: 'ringflow_exporter_restarts_total', type: 'counter', labels: ['exporter', 'protocol'], help: 'Restarts of an exporter, told by its sequence numbers and uptime' },
  { name: 'ringflow_exporter_clock_offset_seconds', type: 'gauge', labels: ['exporter', 'protocol'], help: 'Arrival minus export time: how far the clock of the exporter is behind' },
  { name: 'ringflow_exporter_last_seen_timestamp_seconds', type: 'gauge', labels: ['exporter', 'protocol'], help: 'When the last datagram arrived' },
  { name: 'ringflow_exporter_sampling_rate', type: 'gauge', labels: ['exporter'], help: 'Sampling rate that is used (the last one, where an exporter has several); 0 when unknown' },
  { name: 'ringflow_exporters', type: 'gauge', labels: [], help: 'Exporters that are known' },
  { name: 'ringflow_templates', type: 'gauge', labels: [], help: 'Templates that are known' },
  { name: 'ringflow_template_changes_total', type: 'counter', labels: [], help: 'Templates that were defined or redefined; identical repeats do not count' },
  { name: 'ringflow_template_age_seconds', type: 'gauge', labels: ['exporter'], help: 'Time since the exporter last announced a template' },
  { name: 'ringflow_template_fallbacks_total', type: 'counter', labels: [], help: 'Sets decoded with a template that came from another port of the same address' },
  { name: 'ringflow_parked_sets', type: 'gauge', labels: [], help: 'Data sets that wait for their template' },
  { name: 'ringflow_parked_bytes', type: 'gauge', labels: [], help: 'Bytes of the data sets that wait for their template' },
  { name: 'ringflow_parked_sets_total', type: 'counter', labels: [], help: 'Data sets that came before their template' },
  { name: 'ringflow_parked_replayed_sets_total', type: 'counter', labels: [], help: 'Parked data sets that were decoded when their template came' },
  { name: 'ringflow_parked_lost_sets_total', type: 'counter', labels: ['reason'], help: 'Parked data sets that were given up: expired, evicted, discarded' },

  // Spool and ledger.
  { name: 'ringflow_spool_bytes', type: 'gauge', labels: [], help: 'Bytes of the segments that wait for the store' },
  { name: 'ringflow_spool_limit_bytes', type: 'gauge', labels: [], help: 'Bytes at which the spool is full and records are dropped' },
  { name: 'ringflow_spool_segments', type: 'gauge', labels: [], help: 'Segments that wait for the store' },
  { name: 'ringflow_spool_oldest_age_seconds', type: 'gauge', labels: [], help: 'Age of the oldest segment that waits for the store' },
  { name: 'ringflow_ledger_received_records_total', type: 'counter', labels: [], help: 'Records received since the data directory was made' },
  { name: 'ringflow_ledger_stored_records_total', type: 'counter', labels: [], help: 'Records stored since the data directory was made' },
  { name: 'ringflow_ledger_waiting_records', type: 'gauge', labels: [], help: 'Records that wait in the inlet or in the spool' },
  { name: 'ringflow_ledger_dropped_records_total', type: 'counter', labels: ['reason', 'exporter'], help: 'Records dropped since the data directory was made' },
  { name: 'ringflow_ledger_difference_records', type: 'gauge', labels: [], help: 'received - stored - waiting - dropped; anything but 0 is a bug' },

  // Store.
  { name: 'ringflow_store_loaded_segments_total', type: 'counter', labels: [], help: 'Segments loaded' },
  { name: 'ringflow_store_loaded_records_total', type: 'counter', labels: [], help: 'Records loaded' },
  { name: 'ringflow_store_replayed_segments_total', type: 'counter', labels: [], help: 'Segments that were loaded again after a crash; their records are not doubled' },
  { name: 'ringflow_store_load_failures_total', type: 'counter', labels: [], help: 'Loads that failed and will be tried again' },
  { name: 'ringflow_store_load_duration_seconds', type: 'histogram', labels: [], buckets: SECONDS, help: 'Time to load one segment' },
  { name: 'ringflow_store_table_bytes', type: 'gauge', labels: ['table'], help: 'Bytes on disk by table' },
  { name: 'ringflow_store_table_rows', type: 'gauge', labels: ['table'], help: 'Rows by table' },
  { name: 'ringflow_store_limit_bytes', type: 'gauge', labels: [], help: 'Disk budget of all tables; past it the oldest data is dropped' },
  { name: 'ringflow_store_oldest_timestamp_seconds', type: 'gauge', labels: ['table'], help: 'Oldest time that a table can answer' },

  // Queries.
  { name: 'ringflow_queries_total', type: 'counter', labels: ['kind', 'outcome'], help: 'Queries by kind and outcome: ok, error, cancelled' },
  { name: 'ringflow_query_duration_seconds', type: 'histogram', labels: ['kind'], buckets: SECONDS, help: 'Time to answer a query' },
  { name: 'ringflow_query_read_rows_total', type: 'counter', labels: ['kind', 'table'], help: 'Rows that queries read, by kind and table' },
  { name: 'ringflow_query_read_bytes_total', type: 'counter', labels: ['kind', 'table'], help: 'Bytes that queries read, by kind and table' },

  // The collector itself.
  { name: 'ringflow_build_info', type: 'gauge', labels: ['version', 'node_version'], help: 'Always 1: version of the collector and of Node' },
  { name: 'ringflow_process_up', type: 'gauge', labels: ['process'], help: '1 when the process runs and answers' },
  { name: 'ringflow_process_restarts_total', type: 'counter', labels: ['process'], help: 'Times a process died and was started again' },
  { name: 'ringflow_process_resident_memory_bytes', type: 'gauge', labels: ['process'], help: 'Resident memory of the process' },
  { name: 'ringflow_process_cpu_seconds_total', type: 'counter', labels: ['process'], help: 'CPU time of the process, user and system' },
  { name: 'ringflow_job_last_success_timestamp_seconds', type: 'gauge', labels: ['job'], help: 'When a scheduled job last succeeded' },
  { name: 'ringflow_job_last_duration_seconds', type: 'gauge', labels: ['job'], help: 'How long the last run of a scheduled job took' },
  { name: 'ringflow_job_failures_total', type: 'counter', labels: ['job'], help: 'Runs of a scheduled job that failed' },
] as const satisfies readonly MetricDefinition[];

export type Metric = (typeof METRICS)[number];
export type MetricName = Metric['name'];
export type CounterName = Extract<Metric, { type: 'counter' }>['name'];
export type GaugeName = Extract<Metric, { type: 'gauge' }>['name'];
export type HistogramName = Extract<Metric, { type: 'histogram' }>['name'];

/** Exactly the labels that the definition of a series lists. */
export type LabelsOf<N extends MetricName> = Readonly<Record<Extract<Metric, { name: N }>['labels'][number], string>>;
