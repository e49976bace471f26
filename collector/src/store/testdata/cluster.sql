CREATE DATABASE IF NOT EXISTS ringflow ON CLUSTER 'flows_cluster';

CREATE TABLE IF NOT EXISTS schema_history ON CLUSTER 'flows_cluster' (version UInt32, at DateTime DEFAULT now(), changes Array(String), views Map(String, String)) ENGINE = ReplicatedMergeTree('/clickhouse/ringflow/{database}/all/schema_history', '{shard}_{replica}') ORDER BY at;

CREATE TABLE IF NOT EXISTS names ON CLUSTER 'flows_cluster' (
  exporter String,
  kind LowCardinality(String),
  id String,
  name String,
  description String,
  speed_bps UInt64,
  source LowCardinality(String),
  attributes String,
  updated DateTime64(3, 'UTC')
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/ringflow/{database}/all/names', '{shard}_{replica}', updated)
ORDER BY (exporter, kind, id);

CREATE TABLE IF NOT EXISTS threat_hits ON CLUSTER 'flows_cluster' (
  day Date,
  address IPv6,
  label String,
  list LowCardinality(String),
  category LowCardinality(String),
  first_seen DateTime64(3, 'UTC'),
  last_seen DateTime64(3, 'UTC'),
  records UInt64,
  bytes UInt64,
  found DateTime64(3, 'UTC')
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/ringflow/{database}/all/threat_hits', '{shard}_{replica}', found)
PARTITION BY toYYYYMM(day)
ORDER BY (day, address, label, list)
TTL day + INTERVAL 1 YEAR;

CREATE TABLE IF NOT EXISTS ring_imports ON CLUSTER 'flows_cluster' (
  name String,
  from DateTime('UTC'),
  to DateTime('UTC'),
  at DateTime64(3, 'UTC'),
  done UInt8
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/ringflow/{database}/all/ring_imports', '{shard}_{replica}', at)
ORDER BY (name);

CREATE TABLE IF NOT EXISTS aggregate_score ON CLUSTER 'flows_cluster' (
  id UInt8,
  until DateTime('UTC'),
  reports UInt32,
  addr Array(IPv6),
  count Array(UInt64),
  bytes_in Array(UInt64),
  packets_in Array(UInt64),
  flows_in Array(UInt64),
  bytes_out Array(UInt64),
  packets_out Array(UInt64),
  flows_out Array(UInt64),
  at DateTime64(3, 'UTC')
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/ringflow/{database}/all/aggregate_score', '{shard}_{replica}', at)
ORDER BY id;

CREATE TABLE IF NOT EXISTS peak_state ON CLUSTER 'flows_cluster' (
  bucket DateTime('UTC'),
  seen UInt64,
  at DateTime64(3, 'UTC')
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/ringflow/{database}/all/peak_state', '{shard}_{replica}', at)
PARTITION BY toYYYYMM(bucket)
ORDER BY bucket;

CREATE TABLE IF NOT EXISTS archive_floors ON CLUSTER 'flows_cluster' (
  archive String,
  floor SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/ringflow/{database}/all/archive_floors', '{shard}_{replica}')
ORDER BY archive;

CREATE TABLE IF NOT EXISTS flows_local ON CLUSTER 'flows_cluster' (
  type UInt8 CODEC(ZSTD(1)),
  time_received_ns DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
  sequence_num UInt32 CODEC(Delta, ZSTD(1)),
  sampler_address IPv6 CODEC(ZSTD(1)),
  observation_domain_id UInt32 CODEC(ZSTD(1)),
  sampling_rate UInt32 CODEC(ZSTD(1)),
  quality UInt32 CODEC(ZSTD(1)),
  time_flow_start_ns DateTime64(9, 'UTC') CODEC(GCD, Delta, ZSTD(1)),
  time_flow_end_ns DateTime64(9, 'UTC') CODEC(GCD, Delta, ZSTD(1)),
  flow_end_reason UInt8 CODEC(ZSTD(1)),
  flow_direction UInt8 CODEC(ZSTD(1)),
  biflow_direction UInt8 CODEC(ZSTD(1)),
  bytes UInt64 CODEC(T64, ZSTD(1)),
  packets UInt64 CODEC(T64, ZSTD(1)),
  flows UInt32 CODEC(ZSTD(1)),
  frame_bytes UInt64 CODEC(T64, ZSTD(1)),
  src_addr IPv6 CODEC(ZSTD(1)),
  dst_addr IPv6 CODEC(ZSTD(1)),
  src_port UInt16 CODEC(ZSTD(1)),
  dst_port UInt16 CODEC(ZSTD(1)),
  src_scope UInt8 CODEC(ZSTD(1)),
  dst_scope UInt8 CODEC(ZSTD(1)),
  src_mask UInt8 CODEC(ZSTD(1)),
  dst_mask UInt8 CODEC(ZSTD(1)),
  client_side UInt8 CODEC(ZSTD(1)),
  role_rule UInt8 CODEC(ZSTD(1)),
  direction UInt8 CODEC(ZSTD(1)),
  locality UInt8 CODEC(ZSTD(1)),
  src_network UInt32 CODEC(ZSTD(1)),
  dst_network UInt32 CODEC(ZSTD(1)),
  dup UInt8 CODEC(ZSTD(1)),
  src_country UInt16 CODEC(ZSTD(1)),
  dst_country UInt16 CODEC(ZSTD(1)),
  src_place UInt32 CODEC(ZSTD(1)),
  dst_place UInt32 CODEC(ZSTD(1)),
  src_threat UInt32 CODEC(ZSTD(1)),
  dst_threat UInt32 CODEC(ZSTD(1)),
  etype UInt16 CODEC(ZSTD(1)),
  proto UInt8 CODEC(ZSTD(1)),
  ip_tos UInt8 CODEC(ZSTD(1)),
  tcp_flags UInt16 CODEC(ZSTD(1)),
  ip_ttl UInt8 CODEC(ZSTD(1)),
  ip_flags UInt8 CODEC(ZSTD(1)),
  fragment_id UInt32 CODEC(ZSTD(1)),
  fragment_offset UInt16 CODEC(ZSTD(1)),
  icmp_type UInt8 CODEC(ZSTD(1)),
  icmp_code UInt8 CODEC(ZSTD(1)),
  ipv6_flow_label UInt32 CODEC(ZSTD(1)),
  in_if UInt32 CODEC(ZSTD(1)),
  out_if UInt32 CODEC(ZSTD(1)),
  ingress_vrf_id UInt32 CODEC(ZSTD(1)),
  egress_vrf_id UInt32 CODEC(ZSTD(1)),
  forwarding_status UInt8 CODEC(ZSTD(1)),
  src_mac UInt64 CODEC(ZSTD(1)),
  dst_mac UInt64 CODEC(ZSTD(1)),
  src_vlan UInt16 CODEC(ZSTD(1)),
  dst_vlan UInt16 CODEC(ZSTD(1)),
  vlan_id UInt16 CODEC(ZSTD(1)),
  src_as UInt32 CODEC(ZSTD(1)),
  dst_as UInt32 CODEC(ZSTD(1)),
  next_hop_as UInt32 CODEC(ZSTD(1)),
  next_hop IPv6 CODEC(ZSTD(1)),
  bgp_next_hop IPv6 CODEC(ZSTD(1)),
  as_path Array(UInt32) CODEC(ZSTD(1)),
  bgp_communities Array(UInt32) CODEC(ZSTD(1)),
  mpls_label Array(UInt32) CODEC(ZSTD(1)),
  nat_src_addr IPv6 CODEC(ZSTD(1)),
  nat_dst_addr IPv6 CODEC(ZSTD(1)),
  nat_src_port UInt16 CODEC(ZSTD(1)),
  nat_dst_port UInt16 CODEC(ZSTD(1)),
  fw_event UInt8 CODEC(ZSTD(1)),
  service UInt32 CODEC(ZSTD(1)),
  app UInt32 CODEC(ZSTD(1)),
  app_rule UInt8 CODEC(ZSTD(1)),
  batch UInt64 CODEC(ZSTD(1)),
  INDEX batch_range batch TYPE minmax GRANULARITY 1,
  INDEX start_range time_flow_start_ns TYPE minmax GRANULARITY 1,
  INDEX end_range time_flow_end_ns TYPE minmax GRANULARITY 1
) ENGINE = ReplicatedMergeTree('/clickhouse/ringflow/{database}/{shard}/flows', '{replica}')
PARTITION BY toYYYYMMDD(time_received_ns)
ORDER BY (toStartOfMinute(time_received_ns), sampler_address)
SETTINGS replicated_deduplication_window = 20000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1, old_parts_lifetime = 1;

CREATE TABLE IF NOT EXISTS rings_1m_local ON CLUSTER 'flows_cluster' (
  ring UInt8,
  bucket DateTime('UTC') CODEC(Delta, ZSTD(1)),
  type UInt8 CODEC(ZSTD(1)),
  sampler_address IPv6 CODEC(ZSTD(1)),
  src_scope UInt8 CODEC(ZSTD(1)),
  dst_scope UInt8 CODEC(ZSTD(1)),
  client_side UInt8 CODEC(ZSTD(1)),
  direction UInt8 CODEC(ZSTD(1)),
  locality UInt8 CODEC(ZSTD(1)),
  src_network UInt32 CODEC(ZSTD(1)),
  dst_network UInt32 CODEC(ZSTD(1)),
  dup UInt8 CODEC(ZSTD(1)),
  src_country UInt16 CODEC(ZSTD(1)),
  dst_country UInt16 CODEC(ZSTD(1)),
  src_threat UInt32 CODEC(ZSTD(1)),
  dst_threat UInt32 CODEC(ZSTD(1)),
  etype UInt16 CODEC(ZSTD(1)),
  proto UInt8 CODEC(ZSTD(1)),
  ip_tos UInt8 CODEC(ZSTD(1)),
  tcp_flags UInt16 CODEC(ZSTD(1)),
  in_if UInt32 CODEC(ZSTD(1)),
  out_if UInt32 CODEC(ZSTD(1)),
  vlan_id UInt16 CODEC(ZSTD(1)),
  src_as UInt32 CODEC(ZSTD(1)),
  dst_as UInt32 CODEC(ZSTD(1)),
  service UInt32 CODEC(ZSTD(1)),
  app UInt32 CODEC(ZSTD(1)),
  bytes SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  packets SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  flows SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  peak_bytes SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1)),
  peak_packets SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1)),
  peak_flows SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/ringflow/{database}/{shard}/rings_1m', '{replica}')
PARTITION BY toYYYYMMDD(bucket)
ORDER BY (ring, bucket, type, sampler_address, src_scope, dst_scope, client_side, direction, locality, src_network, dst_network, dup, src_country, dst_country, src_threat, dst_threat, etype, proto, ip_tos, tcp_flags, in_if, out_if, vlan_id, src_as, dst_as, service, app)
SETTINGS replicated_deduplication_window = 20000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1, old_parts_lifetime = 1;

CREATE TABLE IF NOT EXISTS rings_5m_local ON CLUSTER 'flows_cluster' (
  ring UInt8,
  bucket DateTime('UTC') CODEC(Delta, ZSTD(1)),
  type UInt8 CODEC(ZSTD(1)),
  sampler_address IPv6 CODEC(ZSTD(1)),
  src_scope UInt8 CODEC(ZSTD(1)),
  dst_scope UInt8 CODEC(ZSTD(1)),
  client_side UInt8 CODEC(ZSTD(1)),
  direction UInt8 CODEC(ZSTD(1)),
  locality UInt8 CODEC(ZSTD(1)),
  src_network UInt32 CODEC(ZSTD(1)),
  dst_network UInt32 CODEC(ZSTD(1)),
  dup UInt8 CODEC(ZSTD(1)),
  src_country UInt16 CODEC(ZSTD(1)),
  dst_country UInt16 CODEC(ZSTD(1)),
  src_threat UInt32 CODEC(ZSTD(1)),
  dst_threat UInt32 CODEC(ZSTD(1)),
  etype UInt16 CODEC(ZSTD(1)),
  proto UInt8 CODEC(ZSTD(1)),
  ip_tos UInt8 CODEC(ZSTD(1)),
  tcp_flags UInt16 CODEC(ZSTD(1)),
  in_if UInt32 CODEC(ZSTD(1)),
  out_if UInt32 CODEC(ZSTD(1)),
  vlan_id UInt16 CODEC(ZSTD(1)),
  src_as UInt32 CODEC(ZSTD(1)),
  dst_as UInt32 CODEC(ZSTD(1)),
  service UInt32 CODEC(ZSTD(1)),
  app UInt32 CODEC(ZSTD(1)),
  bytes SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  packets SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  flows SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  peak_bytes SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1)),
  peak_packets SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1)),
  peak_flows SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/ringflow/{database}/{shard}/rings_5m', '{replica}')
PARTITION BY toYYYYMMDD(bucket)
ORDER BY (ring, bucket, type, sampler_address, src_scope, dst_scope, client_side, direction, locality, src_network, dst_network, dup, src_country, dst_country, src_threat, dst_threat, etype, proto, ip_tos, tcp_flags, in_if, out_if, vlan_id, src_as, dst_as, service, app)
SETTINGS replicated_deduplication_window = 20000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1, old_parts_lifetime = 1;

CREATE TABLE IF NOT EXISTS rings_1h_local ON CLUSTER 'flows_cluster' (
  ring UInt8,
  bucket DateTime('UTC') CODEC(Delta, ZSTD(1)),
  type UInt8 CODEC(ZSTD(1)),
  sampler_address IPv6 CODEC(ZSTD(1)),
  src_scope UInt8 CODEC(ZSTD(1)),
  dst_scope UInt8 CODEC(ZSTD(1)),
  client_side UInt8 CODEC(ZSTD(1)),
  direction UInt8 CODEC(ZSTD(1)),
  locality UInt8 CODEC(ZSTD(1)),
  src_network UInt32 CODEC(ZSTD(1)),
  dst_network UInt32 CODEC(ZSTD(1)),
  dup UInt8 CODEC(ZSTD(1)),
  src_country UInt16 CODEC(ZSTD(1)),
  dst_country UInt16 CODEC(ZSTD(1)),
  src_threat UInt32 CODEC(ZSTD(1)),
  dst_threat UInt32 CODEC(ZSTD(1)),
  etype UInt16 CODEC(ZSTD(1)),
  proto UInt8 CODEC(ZSTD(1)),
  ip_tos UInt8 CODEC(ZSTD(1)),
  tcp_flags UInt16 CODEC(ZSTD(1)),
  in_if UInt32 CODEC(ZSTD(1)),
  out_if UInt32 CODEC(ZSTD(1)),
  vlan_id UInt16 CODEC(ZSTD(1)),
  src_as UInt32 CODEC(ZSTD(1)),
  dst_as UInt32 CODEC(ZSTD(1)),
  service UInt32 CODEC(ZSTD(1)),
  app UInt32 CODEC(ZSTD(1)),
  bytes SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  packets SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  flows SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  peak_bytes SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1)),
  peak_packets SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1)),
  peak_flows SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/ringflow/{database}/{shard}/rings_1h', '{replica}')
PARTITION BY toYYYYMM(bucket)
ORDER BY (ring, bucket, type, sampler_address, src_scope, dst_scope, client_side, direction, locality, src_network, dst_network, dup, src_country, dst_country, src_threat, dst_threat, etype, proto, ip_tos, tcp_flags, in_if, out_if, vlan_id, src_as, dst_as, service, app)
SETTINGS replicated_deduplication_window = 20000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1, old_parts_lifetime = 1;

CREATE TABLE IF NOT EXISTS rings_1d_local ON CLUSTER 'flows_cluster' (
  ring UInt8,
  bucket DateTime('UTC') CODEC(Delta, ZSTD(1)),
  type UInt8 CODEC(ZSTD(1)),
  sampler_address IPv6 CODEC(ZSTD(1)),
  src_scope UInt8 CODEC(ZSTD(1)),
  dst_scope UInt8 CODEC(ZSTD(1)),
  client_side UInt8 CODEC(ZSTD(1)),
  direction UInt8 CODEC(ZSTD(1)),
  locality UInt8 CODEC(ZSTD(1)),
  src_network UInt32 CODEC(ZSTD(1)),
  dst_network UInt32 CODEC(ZSTD(1)),
  dup UInt8 CODEC(ZSTD(1)),
  src_country UInt16 CODEC(ZSTD(1)),
  dst_country UInt16 CODEC(ZSTD(1)),
  src_threat UInt32 CODEC(ZSTD(1)),
  dst_threat UInt32 CODEC(ZSTD(1)),
  etype UInt16 CODEC(ZSTD(1)),
  proto UInt8 CODEC(ZSTD(1)),
  ip_tos UInt8 CODEC(ZSTD(1)),
  tcp_flags UInt16 CODEC(ZSTD(1)),
  in_if UInt32 CODEC(ZSTD(1)),
  out_if UInt32 CODEC(ZSTD(1)),
  vlan_id UInt16 CODEC(ZSTD(1)),
  src_as UInt32 CODEC(ZSTD(1)),
  dst_as UInt32 CODEC(ZSTD(1)),
  service UInt32 CODEC(ZSTD(1)),
  app UInt32 CODEC(ZSTD(1)),
  bytes SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  packets SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  flows SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  peak_bytes SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1)),
  peak_packets SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1)),
  peak_flows SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/ringflow/{database}/{shard}/rings_1d', '{replica}')
PARTITION BY toYear(bucket)
ORDER BY (ring, bucket, type, sampler_address, src_scope, dst_scope, client_side, direction, locality, src_network, dst_network, dup, src_country, dst_country, src_threat, dst_threat, etype, proto, ip_tos, tcp_flags, in_if, out_if, vlan_id, src_as, dst_as, service, app)
SETTINGS replicated_deduplication_window = 20000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1, old_parts_lifetime = 1;

CREATE TABLE IF NOT EXISTS top_5m_local ON CLUSTER 'flows_cluster' (
  list UInt8,
  bucket DateTime('UTC') CODEC(Delta, ZSTD(1)),
  other UInt8 CODEC(ZSTD(1)),
  loader UInt32 CODEC(ZSTD(1)),
  sampler_address IPv6 CODEC(ZSTD(1)),
  src_addr IPv6 CODEC(ZSTD(1)),
  dst_addr IPv6 CODEC(ZSTD(1)),
  src_port UInt16 CODEC(ZSTD(1)),
  dst_port UInt16 CODEC(ZSTD(1)),
  src_prefix IPv6 CODEC(ZSTD(1)),
  dst_prefix IPv6 CODEC(ZSTD(1)),
  src_scope UInt8 CODEC(ZSTD(1)),
  dst_scope UInt8 CODEC(ZSTD(1)),
  client_side UInt8 CODEC(ZSTD(1)),
  direction UInt8 CODEC(ZSTD(1)),
  src_network UInt32 CODEC(ZSTD(1)),
  dst_network UInt32 CODEC(ZSTD(1)),
  dup UInt8 CODEC(ZSTD(1)),
  src_country UInt16 CODEC(ZSTD(1)),
  dst_country UInt16 CODEC(ZSTD(1)),
  src_place UInt32 CODEC(ZSTD(1)),
  dst_place UInt32 CODEC(ZSTD(1)),
  src_threat UInt32 CODEC(ZSTD(1)),
  dst_threat UInt32 CODEC(ZSTD(1)),
  proto UInt8 CODEC(ZSTD(1)),
  src_as UInt32 CODEC(ZSTD(1)),
  dst_as UInt32 CODEC(ZSTD(1)),
  service UInt32 CODEC(ZSTD(1)),
  app UInt32 CODEC(ZSTD(1)),
  bytes SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  packets SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  flows SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  floor_bytes SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  floor_packets SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  floor_flows SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/ringflow/{database}/{shard}/top_5m', '{replica}')
PARTITION BY toYYYYMMDD(bucket)
PRIMARY KEY (list, bucket, sampler_address)
ORDER BY (list, bucket, sampler_address, dup, other, loader, src_addr, dst_addr, src_port, dst_port, src_prefix, dst_prefix, src_scope, dst_scope, client_side, direction, src_network, dst_network, src_country, dst_country, src_place, dst_place, src_threat, dst_threat, proto, src_as, dst_as, service, app)
SETTINGS replicated_deduplication_window = 20000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1, old_parts_lifetime = 1;

CREATE TABLE IF NOT EXISTS top_1h_local ON CLUSTER 'flows_cluster' (
  list UInt8,
  bucket DateTime('UTC') CODEC(Delta, ZSTD(1)),
  other UInt8 CODEC(ZSTD(1)),
  loader UInt32 CODEC(ZSTD(1)),
  sampler_address IPv6 CODEC(ZSTD(1)),
  src_addr IPv6 CODEC(ZSTD(1)),
  dst_addr IPv6 CODEC(ZSTD(1)),
  src_port UInt16 CODEC(ZSTD(1)),
  dst_port UInt16 CODEC(ZSTD(1)),
  src_prefix IPv6 CODEC(ZSTD(1)),
  dst_prefix IPv6 CODEC(ZSTD(1)),
  src_scope UInt8 CODEC(ZSTD(1)),
  dst_scope UInt8 CODEC(ZSTD(1)),
  client_side UInt8 CODEC(ZSTD(1)),
  direction UInt8 CODEC(ZSTD(1)),
  src_network UInt32 CODEC(ZSTD(1)),
  dst_network UInt32 CODEC(ZSTD(1)),
  dup UInt8 CODEC(ZSTD(1)),
  src_country UInt16 CODEC(ZSTD(1)),
  dst_country UInt16 CODEC(ZSTD(1)),
  src_place UInt32 CODEC(ZSTD(1)),
  dst_place UInt32 CODEC(ZSTD(1)),
  src_threat UInt32 CODEC(ZSTD(1)),
  dst_threat UInt32 CODEC(ZSTD(1)),
  proto UInt8 CODEC(ZSTD(1)),
  src_as UInt32 CODEC(ZSTD(1)),
  dst_as UInt32 CODEC(ZSTD(1)),
  service UInt32 CODEC(ZSTD(1)),
  app UInt32 CODEC(ZSTD(1)),
  bytes SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  packets SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  flows SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  floor_bytes SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  floor_packets SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  floor_flows SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/ringflow/{database}/{shard}/top_1h', '{replica}')
PARTITION BY toYYYYMM(bucket)
PRIMARY KEY (list, bucket, sampler_address)
ORDER BY (list, bucket, sampler_address, dup, other, loader, src_addr, dst_addr, src_port, dst_port, src_prefix, dst_prefix, src_scope, dst_scope, client_side, direction, src_network, dst_network, src_country, dst_country, src_place, dst_place, src_threat, dst_threat, proto, src_as, dst_as, service, app)
SETTINGS replicated_deduplication_window = 20000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1, old_parts_lifetime = 1;

CREATE TABLE IF NOT EXISTS top_1d_local ON CLUSTER 'flows_cluster' (
  list UInt8,
  bucket DateTime('UTC') CODEC(Delta, ZSTD(1)),
  other UInt8 CODEC(ZSTD(1)),
  loader UInt32 CODEC(ZSTD(1)),
  sampler_address IPv6 CODEC(ZSTD(1)),
  src_addr IPv6 CODEC(ZSTD(1)),
  dst_addr IPv6 CODEC(ZSTD(1)),
  src_port UInt16 CODEC(ZSTD(1)),
  dst_port UInt16 CODEC(ZSTD(1)),
  src_prefix IPv6 CODEC(ZSTD(1)),
  dst_prefix IPv6 CODEC(ZSTD(1)),
  src_scope UInt8 CODEC(ZSTD(1)),
  dst_scope UInt8 CODEC(ZSTD(1)),
  client_side UInt8 CODEC(ZSTD(1)),
  direction UInt8 CODEC(ZSTD(1)),
  src_network UInt32 CODEC(ZSTD(1)),
  dst_network UInt32 CODEC(ZSTD(1)),
  dup UInt8 CODEC(ZSTD(1)),
  src_country UInt16 CODEC(ZSTD(1)),
  dst_country UInt16 CODEC(ZSTD(1)),
  src_place UInt32 CODEC(ZSTD(1)),
  dst_place UInt32 CODEC(ZSTD(1)),
  src_threat UInt32 CODEC(ZSTD(1)),
  dst_threat UInt32 CODEC(ZSTD(1)),
  proto UInt8 CODEC(ZSTD(1)),
  src_as UInt32 CODEC(ZSTD(1)),
  dst_as UInt32 CODEC(ZSTD(1)),
  service UInt32 CODEC(ZSTD(1)),
  app UInt32 CODEC(ZSTD(1)),
  bytes SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  packets SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  flows SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  floor_bytes SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  floor_packets SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  floor_flows SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/ringflow/{database}/{shard}/top_1d', '{replica}')
PARTITION BY toYYYYMM(bucket)
PRIMARY KEY (list, bucket, sampler_address)
ORDER BY (list, bucket, sampler_address, dup, other, loader, src_addr, dst_addr, src_port, dst_port, src_prefix, dst_prefix, src_scope, dst_scope, client_side, direction, src_network, dst_network, src_country, dst_country, src_place, dst_place, src_threat, dst_threat, proto, src_as, dst_as, service, app)
SETTINGS replicated_deduplication_window = 20000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1, old_parts_lifetime = 1;

CREATE TABLE IF NOT EXISTS top_state ON CLUSTER 'flows_cluster' (
  loader UInt32,
  opened_epoch SimpleAggregateFunction(max, UInt32),
  begun_epoch SimpleAggregateFunction(max, UInt32),
  consolidated_epoch SimpleAggregateFunction(max, UInt32),
  begun_hour SimpleAggregateFunction(max, DateTime('UTC')),
  consolidated_hour SimpleAggregateFunction(max, DateTime('UTC')),
  begun_day SimpleAggregateFunction(max, DateTime('UTC')),
  consolidated_day SimpleAggregateFunction(max, DateTime('UTC')),
  seen SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/ringflow/{database}/all/top_state', '{shard}_{replica}')
ORDER BY loader
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1, old_parts_lifetime = 1;

CREATE VIEW IF NOT EXISTS top_open ON CLUSTER 'flows_cluster' AS
SELECT arrayJoin(if(loader = 0, [toUInt64(0)], arrayMap(epoch -> bitShiftLeft(toUInt64(loader), 32) + epoch, range(consolidated + 1, opened + 1)))) AS batch
FROM (
  SELECT loader, max(opened_epoch) AS opened, max(consolidated_epoch) AS consolidated FROM top_state GROUP BY loader
  UNION ALL SELECT toUInt32(0), toUInt32(0), toUInt32(0)
);

CREATE TABLE IF NOT EXISTS flows ON CLUSTER 'flows_cluster' AS ringflow.flows_local ENGINE = Distributed('flows_cluster', 'ringflow', 'flows_local');

CREATE TABLE IF NOT EXISTS rings_1m ON CLUSTER 'flows_cluster' AS ringflow.rings_1m_local ENGINE = Distributed('flows_cluster', 'ringflow', 'rings_1m_local');

CREATE TABLE IF NOT EXISTS rings_5m ON CLUSTER 'flows_cluster' AS ringflow.rings_5m_local ENGINE = Distributed('flows_cluster', 'ringflow', 'rings_5m_local');

CREATE TABLE IF NOT EXISTS rings_1h ON CLUSTER 'flows_cluster' AS ringflow.rings_1h_local ENGINE = Distributed('flows_cluster', 'ringflow', 'rings_1h_local');

CREATE TABLE IF NOT EXISTS rings_1d ON CLUSTER 'flows_cluster' AS ringflow.rings_1d_local ENGINE = Distributed('flows_cluster', 'ringflow', 'rings_1d_local');

CREATE TABLE IF NOT EXISTS top_5m ON CLUSTER 'flows_cluster' AS ringflow.top_5m_local ENGINE = Distributed('flows_cluster', 'ringflow', 'top_5m_local');

CREATE TABLE IF NOT EXISTS top_1h ON CLUSTER 'flows_cluster' AS ringflow.top_1h_local ENGINE = Distributed('flows_cluster', 'ringflow', 'top_1h_local');

CREATE TABLE IF NOT EXISTS top_1d ON CLUSTER 'flows_cluster' AS ringflow.top_1d_local ENGINE = Distributed('flows_cluster', 'ringflow', 'top_1d_local');

CREATE MATERIALIZED VIEW IF NOT EXISTS fill_rings_5m ON CLUSTER 'flows_cluster' TO rings_5m_local AS SELECT ring, toStartOfInterval(bucket, INTERVAL 300 SECOND, 'UTC') AS bucket, type, sampler_address, src_scope, dst_scope, client_side, direction, locality, src_network, dst_network, dup, src_country, dst_country, src_threat, dst_threat, etype, proto, ip_tos, tcp_flags, in_if, out_if, vlan_id, src_as, dst_as, service, app, sum(bytes) AS bytes, sum(packets) AS packets, sum(flows) AS flows
FROM rings_1m_local
GROUP BY ring, bucket, type, sampler_address, src_scope, dst_scope, client_side, direction, locality, src_network, dst_network, dup, src_country, dst_country, src_threat, dst_threat, etype, proto, ip_tos, tcp_flags, in_if, out_if, vlan_id, src_as, dst_as, service, app;

CREATE MATERIALIZED VIEW IF NOT EXISTS fill_rings_1h ON CLUSTER 'flows_cluster' TO rings_1h_local AS SELECT ring, toStartOfInterval(bucket, INTERVAL 3600 SECOND, 'UTC') AS bucket, type, sampler_address, src_scope, dst_scope, client_side, direction, locality, src_network, dst_network, dup, src_country, dst_country, src_threat, dst_threat, etype, proto, ip_tos, tcp_flags, in_if, out_if, vlan_id, src_as, dst_as, service, app, sum(bytes) AS bytes, sum(packets) AS packets, sum(flows) AS flows, max(peak_bytes) AS peak_bytes, max(peak_packets) AS peak_packets, max(peak_flows) AS peak_flows
FROM rings_5m_local
GROUP BY ring, bucket, type, sampler_address, src_scope, dst_scope, client_side, direction, locality, src_network, dst_network, dup, src_country, dst_country, src_threat, dst_threat, etype, proto, ip_tos, tcp_flags, in_if, out_if, vlan_id, src_as, dst_as, service, app;

CREATE MATERIALIZED VIEW IF NOT EXISTS fill_rings_1d ON CLUSTER 'flows_cluster' TO rings_1d_local AS SELECT ring, toStartOfInterval(bucket, INTERVAL 86400 SECOND, 'UTC') AS bucket, type, sampler_address, src_scope, dst_scope, client_side, direction, locality, src_network, dst_network, dup, src_country, dst_country, src_threat, dst_threat, etype, proto, ip_tos, tcp_flags, in_if, out_if, vlan_id, src_as, dst_as, service, app, sum(bytes) AS bytes, sum(packets) AS packets, sum(flows) AS flows, max(peak_bytes) AS peak_bytes, max(peak_packets) AS peak_packets, max(peak_flows) AS peak_flows
FROM rings_1h_local
GROUP BY ring, bucket, type, sampler_address, src_scope, dst_scope, client_side, direction, locality, src_network, dst_network, dup, src_country, dst_country, src_threat, dst_threat, etype, proto, ip_tos, tcp_flags, in_if, out_if, vlan_id, src_as, dst_as, service, app;
