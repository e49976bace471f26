import { formatProtocol, parseService } from '@ringflow/contract';
import { createBoundedLabels, OVERFLOW_LABEL, type Metrics, type MetricsConfig } from '../../metrics/index.ts';
import type { TrafficDelta } from '../../store/index.ts';

/** Counts the traffic of loaded segments on `/metrics`; the label sets are bounded. */
export interface TrafficMetrics {
  count(deltas: readonly TrafficDelta[]): void;
  /** Services or watches were configured anew. */
  configured(): void;
}

/** @param config may change while it is held; call `configured` then */
export function createTrafficMetrics(config: MetricsConfig, metrics: Metrics): TrafficMetrics {
  const exporters = createBoundedLabels(() => config.max_exporters);
  const interfaces = createBoundedLabels(() => config.max_interfaces);
  const services = new Map<number, string>();

  function configured(): void {
    services.clear();
    for (const [name, texts] of Object.entries(config.services)) {
      for (const number of texts.flatMap(parseService)) services.set(number, name);
      metrics.add('ringflow_service_bytes_total', { service: name }, 0);
    }
    for (const watch of Object.keys(config.watches)) {
      metrics.add('ringflow_watch_bytes_total', { watch }, 0);
      metrics.add('ringflow_watch_packets_total', { watch }, 0);
      metrics.add('ringflow_watch_records_total', { watch }, 0);
    }
  }
  const exporterLabel = (exporter: string): string => (exporters.admit(exporter) ? exporter : OVERFLOW_LABEL);

  const count = (delta: TrafficDelta): void => {
    const { bytes, packets, records } = delta;
    switch (delta.kind) {
      case 'exporter': {
        const labels = { exporter: exporterLabel(delta.exporter) };
        metrics.add('ringflow_traffic_bytes_total', labels, bytes);
        metrics.add('ringflow_traffic_packets_total', labels, packets);
        metrics.add('ringflow_traffic_records_total', labels, records);
        return;
      }
      case 'interface': {
        const exporter = exporterLabel(delta.exporter);
        const known = exporter !== OVERFLOW_LABEL && interfaces.admit(`${exporter} ${delta.interface}`);
        const labels = {
          exporter,
          interface: known ? String(delta.interface) : OVERFLOW_LABEL,
          direction: delta.direction,
        };
        metrics.add('ringflow_interface_bytes_total', labels, bytes);
        metrics.add('ringflow_interface_packets_total', labels, packets);
        metrics.add('ringflow_interface_records_total', labels, records);
        return;
      }
      case 'protocol': {
        const labels = { protocol: formatProtocol(delta.protocol) };
        metrics.add('ringflow_protocol_bytes_total', labels, bytes);
        metrics.add('ringflow_protocol_packets_total', labels, packets);
        metrics.add('ringflow_protocol_records_total', labels, records);
        return;
      }
      case 'service': {
        const labels = { service: services.get(delta.service) ?? OVERFLOW_LABEL };
        metrics.add('ringflow_service_bytes_total', labels, bytes);
        metrics.add('ringflow_service_packets_total', labels, packets);
        metrics.add('ringflow_service_records_total', labels, records);
        return;
      }
      case 'late': {
        const labels = { exporter: exporterLabel(delta.exporter) };
        metrics.add('ringflow_late_records_total', labels, records);
        metrics.add('ringflow_late_bytes_total', labels, bytes);
        return;
      }
      case 'times':
        metrics.add(
          'ringflow_flow_times_records_total',
          { exporter: exporterLabel(delta.exporter), reason: delta.reason },
          records,
        );
        return;
      case 'watch': {
        const labels = { watch: delta.watch };
        metrics.add('ringflow_watch_bytes_total', labels, bytes);
        metrics.add('ringflow_watch_packets_total', labels, packets);
        metrics.add('ringflow_watch_records_total', labels, records);
      }
    }
  };
  configured();
  return { count: (deltas) => deltas.forEach(count), configured };
}
