/**
 * The tables as an early build made them, before `service`, `flow_end_reason` and `next_hop` were columns and when
 * there was one ring. Kept as it was: what is here lies on somebody's disk.
 */
export const OLD_SCHEMA: readonly string[] = [
  `CREATE TABLE flows (
    type UInt8 CODEC(ZSTD(1)),
    time_received_ns DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    sampler_address IPv6 CODEC(ZSTD(1)),
    sampling_rate UInt32 CODEC(ZSTD(1)),
    time_flow_start_ns DateTime64(9, 'UTC') CODEC(GCD, Delta, ZSTD(1)),
    time_flow_end_ns DateTime64(9, 'UTC') CODEC(GCD, Delta, ZSTD(1)),
    bytes UInt64 CODEC(T64, ZSTD(1)),
    packets UInt64 CODEC(T64, ZSTD(1)),
    src_addr IPv6 CODEC(ZSTD(1)),
    dst_addr IPv6 CODEC(ZSTD(1)),
    etype UInt16 CODEC(ZSTD(1)),
    in_if UInt32 CODEC(ZSTD(1)),
    INDEX start_range time_flow_start_ns TYPE minmax GRANULARITY 1,
    INDEX end_range time_flow_end_ns TYPE minmax GRANULARITY 1
  ) ENGINE = MergeTree PARTITION BY toYYYYMMDD(time_received_ns) ORDER BY (toStartOfMinute(time_received_ns), sampler_address)
  SETTINGS non_replicated_deduplication_window = 1000`,
  `CREATE TABLE rings_1m (
    ring UInt8,
    bucket DateTime('UTC') CODEC(Delta, ZSTD(1)),
    type UInt8 CODEC(ZSTD(1)),
    sampler_address IPv6 CODEC(ZSTD(1)),
    etype UInt16 CODEC(ZSTD(1)),
    bytes SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    packets SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    flows SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1))
  ) ENGINE = AggregatingMergeTree PARTITION BY toYYYYMMDD(bucket) ORDER BY (ring, bucket, type, sampler_address, etype)
  SETTINGS non_replicated_deduplication_window = 1000`,
  `CREATE MATERIALIZED VIEW fill_rings_1m TO rings_1m AS
  SELECT toUInt8(1) AS ring, toStartOfMinute(time_flow_end_ns) AS bucket, type, sampler_address, etype, sum(bytes) AS bytes, sum(packets) AS packets, count() AS flows
  FROM flows GROUP BY bucket, type, sampler_address, etype`,
  `INSERT INTO flows (type, time_received_ns, sampler_address, time_flow_start_ns, time_flow_end_ns, bytes, packets, in_if)
  SELECT 3, '2026-03-09 12:00:01', '::ffff:192.0.2.1', '2026-03-09 12:00:00', '2026-03-09 12:00:00', 1000 + number, 1, 7 FROM numbers(10)`,
];
