import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createFolder,
  startCollector,
  until,
  type RunningCollector,
} from '../../../collector/src/cli/testing/collector.ts';

export const TOKEN = 'read-only-token';
const INGEST_TOKEN = 'write-token';

/** One record that a test makes up. Times are milliseconds since the epoch. */
export interface MadeUpFlow {
  readonly startMs: number;
  readonly endMs: number;
  readonly srcAddr: string;
  readonly dstAddr: string;
  readonly dstPort: number;
  readonly bytes: number;
  readonly packets: number;
  /** Address of the exporter; `192.0.2.1` when left out. */
  readonly exporter?: string;
}

/** A collector that wants a token and takes records as JSON. */
export interface FlowCollector extends RunningCollector {
  /** Returns when the records can be asked for. */
  send(flows: readonly MadeUpFlow[]): Promise<void>;
  stop(): Promise<void>;
}

/** @param options more of its `ringflow.yml` */
export async function startFlowCollector(options = ''): Promise<FlowCollector> {
  const folder = createFolder();
  writeFileSync(
    join(folder.path, 'ringflow.yml'),
    `data_dir: ./data
inlet: {listen: ["127.0.0.1:0"], seal_interval_ms: 200}
http: {port: 0, token: ${TOKEN}, ingest: {enabled: true, token: ${INGEST_TOKEN}}}
log: {level: info, format: json}
${options}`,
  );
  const collector = await startCollector(folder.path);
  const headers = { authorization: `Bearer ${TOKEN}` };
  const storedRows = async (): Promise<number> => {
    const response = await fetch(`${collector.url}/api/v1/status`, { headers });
    return ((await response.json()) as { ledger: { stored: number } }).ledger.stored;
  };
  return {
    ...collector,
    send: async (flows) => {
      const before = await storedRows();
      const response = await fetch(`${collector.url}/api/v1/ingest`, {
        method: 'POST',
        headers: { authorization: `Bearer ${INGEST_TOKEN}`, 'content-type': 'application/json' },
        body: `[${flows.map(record).join(',')}]`,
      });
      if (!response.ok) throw new Error(`ingest: ${response.status} ${await response.text()}`);
      await until(async () => (await storedRows()) >= before + flows.length, 20_000, 'records were not stored');
    },
    stop: async () => {
      collector.kill('SIGTERM');
      await collector.exited;
      folder.remove();
    },
  };
}

const ns = (ms: number): string => `${Math.round(ms)}000000`;

/** A record in goflow2's JSON, of an exporter that does not sample. */
function record(flow: MadeUpFlow): string {
  const { startMs, endMs, srcAddr, dstAddr, dstPort, bytes, packets, exporter = '192.0.2.1' } = flow;
  return (
    `{"type":"NETFLOW_V9","time_received_ns":${ns(endMs)},"sequence_num":1,"sampling_rate":1,"sampler_address":"${exporter}",` +
    `"time_flow_start_ns":${ns(startMs)},"time_flow_end_ns":${ns(endMs)},"bytes":${bytes},"packets":${packets},` +
    `"src_addr":"${srcAddr}","dst_addr":"${dstAddr}","etype":"IPv4","proto":"TCP","src_port":40000,"dst_port":${dstPort},"in_if":1,"out_if":2}`
  );
}
