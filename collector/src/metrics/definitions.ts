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
  { name: 'ringflow_interface_flow_ratio', type: 'gauge', labels: ['exporter', 'interface', 'direction'], help: 'Bytes of flows over bytes that the interface itself counted (SNMP or sFlow), in the last window that was compared' },
  { name: 'ringflow_interface_speed_bytes_per_second', type: 'gauge', labels: ['exporter', 'interface'], help: 'Speed of an interface in bytes per second, where it is known' },
  { name: 'ringflow_exporter_info', type: 'gauge', labels: ['exporter', 'name'], help: 'Always 1: the name of an exporter' },
  { name: 'ringflow_protocol_bytes_total', type: 'counter', labels: ['protocol'], help: 'Bytes by IP protocol, scaled by the sampling rate' },
  { name: 'ringflow_protocol_packets_total', type: 'counter', labels: ['protocol'], help: 'Packets by IP protocol, scaled by the sampling rate' },
  { name: 'ringflow_protocol_records_total', type: 'counter', labels: ['protocol'], help: 'Flow records by IP protocol' },
  { name: 'ringflow_service_bytes_total', type: 'counter', labels: ['service'], help: 'Bytes by configured service, scaled by the sampling rate' },
  { name: 'ringflow_service_packets_total', type: 'counter', labels: ['service'], help: 'Packets by configured service, scaled by the sampling rate' },
  { name: 'ringflow_service_records_total', type: 'counter', labels: ['service'], help: 'Flow records by configured service' },
  { name: 'ringflow_late_records_total', type: 'counter', labels: ['exporter'], help: 'Flow records that ended more than an hour before they arrived: they are added to the buckets of their time' },
  { name: 'ringflow_late_bytes_total', type: 'counter', labels: ['exporter'], help: 'Bytes of such records, scaled by the sampling rate' },
  { name: 'ringflow_flow_times_records_total', type: 'counter', labels: ['exporter', 'reason'], help: 'Flow records with odd times: moved (not plausible, made so), corrected (the clock of the exporter was not set), ahead (ends more than 5 minutes after it arrived), cut (longer than is spread)' },
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

  // Records of other collectors.
  { name: 'ringflow_ingest_batches_total', type: 'counter', labels: ['outcome'], help: 'Requests with records of other collectors: taken, repeated (all records were taken before) or refused' },
  { name: 'ringflow_ingest_records_total', type: 'counter', labels: ['outcome'], help: 'Records of other collectors: stored, repeated, or dropped because they said nothing usable' },
  { name: 'ringflow_ingest_ignored_fields_total', type: 'counter', labels: [], help: 'Fields of such records that no column takes, and values that none can hold' },
  { name: 'ringflow_ingest_waiting_bytes', type: 'gauge', labels: [], help: 'Bodies of such requests whose records are not on disk yet' },

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
  { name: 'ringflow_sampling_unknown_records_total', type: 'counter', labels: ['exporter'], help: 'Records whose sampling rate nobody said: counted as if nothing was sampled' },
  { name: 'ringflow_duplicate_records_total', type: 'counter', labels: ['reason'], help: 'Records left out of totals because another record counts the same packets: egress (the other side of the same exporter) or other_exporter' },
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

  // Own networks. In and out by all is the hit ratio: how much of the traffic they explain.
  { name: 'ringflow_direction_records_total', type: 'counter', labels: ['direction'], help: 'Flow records by direction, seen from the own networks: in, out, internal, transit, unknown' },
  { name: 'ringflow_direction_bytes_total', type: 'counter', labels: ['direction'], help: 'Bytes by direction, scaled by the sampling rate' },
  { name: 'ringflow_address_cache_hits_total', type: 'counter', labels: [], help: 'Addresses of records about which everything was known from an earlier record' },
  { name: 'ringflow_address_cache_misses_total', type: 'counter', labels: [], help: 'Addresses of records that had to be looked up' },

  // Files that records are enriched from.
  { name: 'ringflow_enrich_file_usable', type: 'gauge', labels: ['file'], help: '1 when the file as it is now is in use, 0 when it cannot be read: what was loaded before stays in use' },
  { name: 'ringflow_enrich_file_entries', type: 'gauge', labels: ['file'], help: 'Entries of the file that are in use' },
  { name: 'ringflow_enrich_file_modified_timestamp_seconds', type: 'gauge', labels: ['file'], help: 'Modification time of the content that is in use' },
  { name: 'ringflow_enrich_file_loaded_timestamp_seconds', type: 'gauge', labels: ['file'], help: 'When the content that is in use was loaded' },
  { name: 'ringflow_enrich_file_loads_total', type: 'counter', labels: ['file'], help: 'Contents of the file that were taken over' },
  { name: 'ringflow_enrich_file_failures_total', type: 'counter', labels: ['file'], help: 'Times that the file could not be used' },

  // Reputation lists.
  { name: 'ringflow_reputation_list_entries', type: 'gauge', labels: ['list'], help: 'Entries of the list that are in use' },
  { name: 'ringflow_reputation_list_problems', type: 'gauge', labels: ['list'], help: 'Lines of the list that cannot be read' },
  { name: 'ringflow_reputation_list_timestamp_seconds', type: 'gauge', labels: ['list'], help: 'When the list was made, or else written' },
  { name: 'ringflow_reputation_list_old', type: 'gauge', labels: ['list'], help: '1 when the list is older than its max_age_seconds or expire_after_seconds' },
  { name: 'ringflow_reputation_list_failures_total', type: 'counter', labels: ['list'], help: 'Times that the list could not be used: what was loaded before stays in use' },
  { name: 'ringflow_reputation_hits_total', type: 'counter', labels: ['list', 'category'], help: 'Ends of flow records that the list labelled, by category' },
  { name: 'ringflow_reputation_retro_hits', type: 'gauge', labels: ['list'], help: 'Addresses by day that the list would have labelled, had it been then as it is now' },

  // Spool and ledger.
  { name: 'ringflow_spool_bytes', type: 'gauge', labels: [], help: 'Bytes of the segments that wait for the store' },
  { name: 'ringflow_spool_limit_bytes', type: 'gauge', labels: [], help: 'Bytes at which the spool is full and records are dropped' },
  { name: 'ringflow_spool_min_free_bytes', type: 'gauge', labels: [], help: 'Free bytes on its file system below which the spool counts as full and records are dropped' },
  { name: 'ringflow_disk_free_bytes', type: 'gauge', labels: [], help: 'Bytes that may still be written to the file system of the data directory' },
  { name: 'ringflow_disk_size_bytes', type: 'gauge', labels: [], help: 'Size of the file system of the data directory' },
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
  { name: 'ringflow_store_load_duration_seconds', type: 'histogram', labels: [], buckets: SECONDS, help: 'Time to load the segments that gathered' },
  { name: 'ringflow_top_lists_lag_seconds', type: 'gauge', labels: [], help: 'How long the oldest closed batch of records waits for the top lists; until then it is read record by record' },
  { name: 'ringflow_top_lists_batches_total', type: 'counter', labels: [], help: 'Batches of records that were put into the top lists' },
  { name: 'ringflow_top_lists_late_records_total', type: 'counter', labels: [], help: 'Records that came after their hour was closed in the top lists, and were put there with their batch' },
  { name: 'ringflow_top_lists_failures_total', type: 'counter', labels: [], help: 'Runs of the top lists that failed and will be tried again' },
  { name: 'ringflow_top_lists_last_batch_seconds', type: 'gauge', labels: [], help: 'How long the last batch took' },
  { name: 'ringflow_store_table_bytes', type: 'gauge', labels: ['table'], help: 'Bytes on disk by table' },
  { name: 'ringflow_store_table_rows', type: 'gauge', labels: ['table'], help: 'Rows by table' },
  { name: 'ringflow_store_limit_bytes', type: 'gauge', labels: [], help: 'Disk budget of all tables; past it the oldest data is dropped' },
  { name: 'ringflow_store_oldest_timestamp_seconds', type: 'gauge', labels: ['table'], help: 'Oldest time that a table can answer' },

  // Archives: what store.archives keeps, how far back, and how far it will.
  { name: 'ringflow_archive_bytes', type: 'gauge', labels: ['archive'], help: 'Bytes on disk by archive' },
  { name: 'ringflow_archive_budget_bytes', type: 'gauge', labels: ['archive'], help: 'Share of the disk budget that is left to the archive when all others want room, too' },
  { name: 'ringflow_archive_oldest_timestamp_seconds', type: 'gauge', labels: ['archive'], help: 'Oldest time of which the archive has everything' },
  { name: 'ringflow_archive_growth_bytes_per_second', type: 'gauge', labels: ['archive'], help: 'Growth of the archive at the rate of the last days' },
  { name: 'ringflow_archive_reach_seconds', type: 'gauge', labels: ['archive'], help: 'Forecast: how far the archive will reach back when growth goes on as it is' },

  // Queries.
  { name: 'ringflow_queries_total', type: 'counter', labels: ['kind', 'outcome'], help: 'Queries by kind and outcome: ok, error, cancelled' },
  { name: 'ringflow_query_duration_seconds', type: 'histogram', labels: ['kind'], buckets: SECONDS, help: 'Time to answer a query' },
  { name: 'ringflow_query_read_rows_total', type: 'counter', labels: ['kind', 'table'], help: 'Rows that queries read, by kind and table' },
  { name: 'ringflow_query_read_bytes_total', type: 'counter', labels: ['kind', 'table'], help: 'Bytes that queries read, by kind and table' },

  // Names of addresses.
  { name: 'ringflow_resolve_lookups_total', type: 'counter', labels: ['outcome'], help: 'Addresses that name servers were asked for, by outcome: found, none, timeout, failed' },
  { name: 'ringflow_resolve_lookup_duration_seconds', type: 'histogram', labels: [], buckets: SECONDS, help: 'Time until a name server answered' },
  { name: 'ringflow_resolve_cache_hits_total', type: 'counter', labels: [], help: 'Addresses whose names were known from an earlier look-up' },
  { name: 'ringflow_resolve_cached_addresses', type: 'gauge', labels: [], help: 'Addresses whose names, or that they have none, are kept' },
  { name: 'ringflow_http_refused_total', type: 'counter', labels: ['reason'], help: 'Callers of the API that were cut off or turned away: too many connections, requests or answers, too slow, too large, not readable, gone' },

  // The collector itself.
  { name: 'ringflow_build_info', type: 'gauge', labels: ['version', 'node_version'], help: 'Always 1: version of the collector and of Node' },
  { name: 'ringflow_process_up', type: 'gauge', labels: ['process'], help: '1 when the process runs and answers' },
  { name: 'ringflow_process_restarts_total', type: 'counter', labels: ['process'], help: 'Times a process died and was started again' },
  { name: 'ringflow_process_resident_memory_bytes', type: 'gauge', labels: ['process'], help: 'Resident memory of the process' },
  { name: 'ringflow_process_cpu_seconds_total', type: 'counter', labels: ['process'], help: 'CPU time of the process, user and system' },
  { name: 'ringflow_config_last_reload_successful', type: 'gauge', labels: [], help: '1 when the configuration was taken over at the last attempt, 0 when it was refused and the one before stays' },
  { name: 'ringflow_config_last_reload_success_timestamp_seconds', type: 'gauge', labels: [], help: 'When a configuration was last taken over' },
  { name: 'ringflow_job_last_success_timestamp_seconds', type: 'gauge', labels: ['task'], help: 'When a scheduled job last succeeded' },
  { name: 'ringflow_job_last_duration_seconds', type: 'gauge', labels: ['task'], help: 'How long the last run of a scheduled job took' },
  { name: 'ringflow_job_failures_total', type: 'counter', labels: ['task'], help: 'Runs of a scheduled job that failed' },
] as const satisfies readonly MetricDefinition[];

export type Metric = (typeof METRICS)[number];
export type MetricName = Metric['name'];
export type CounterName = Extract<Metric, { type: 'counter' }>['name'];
export type GaugeName = Extract<Metric, { type: 'gauge' }>['name'];
export type HistogramName = Extract<Metric, { type: 'histogram' }>['name'];

/** Exactly the labels that the definition of a series lists. */
export type LabelsOf<N extends MetricName> = Readonly<Record<Extract<Metric, { name: N }>['labels'][number], string>>;
