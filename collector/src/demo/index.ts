export { DEMO_DEFAULTS, DEMO_SCHEMA, type DemoConfig } from './config.ts';
export { createDemo, type Demo, type DemoDeps } from './demo.ts';
export { encodeIpfix, encodeIpfixTemplates, ipfixOptionRecords } from './encode-ipfix.ts';
export { encodeNetflow5, NETFLOW5_MAX_RECORDS } from './encode-netflow5.ts';
export { encodeNetflow9, encodeNetflow9Templates } from './encode-netflow9.ts';
export { encodeSflow, frameOf, type CounterSample, type FlowSample } from './encode-sflow.ts';
export {
  createExporter,
  type Deliver,
  type ExporterCounts,
  type ExporterTarget,
  type RunningExporter,
} from './exporter.ts';
export { createDemoGeography } from './geography.ts';
export { encodeMmdb, uint32, type MmdbDescription, type MmdbNetwork, type MmdbValue } from './mmdb-writer.ts';
export { createDemoReputation } from './reputation.ts';
export { INCIDENTS, INCIDENT_MS, type Incident } from './incidents.ts';
export { addressOf, type DemoFlow, type DemoInterface } from './flow.ts';
export { createFlowSource, EXPORTERS, type DemoExporter, type FlowSource } from './network.ts';
export { createRandom, createZipf, type Random } from './random.ts';
