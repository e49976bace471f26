import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createFolder,
  startCollector,
  until,
  type RunningCollector,
} from '../../../collector/src/cli/testing/collector.ts';
import { createExporter } from '../../../collector/src/demo/index.ts';
import { EARLIER_FLOWS, flowOf, type EarlierFlow, type KnownRecord } from './known-load.ts';
import { EXPORTERS, geography, reputation, settings } from './known-world.ts';

const INGEST_TOKEN = 'write-token';

/** A collector that has nothing but known records. */
export interface KnownCollector extends RunningCollector {
  /** Its folder, for whoever stands beside it. */
  readonly folder: string;
  /** Sends records over sockets; returns when they can be asked for. */
  send(records: readonly KnownRecord[]): Promise<void>;
  /** Sends what came in the weeks before an hour, over HTTP. */
  sendEarlier(hourMs: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startKnownCollector(): Promise<KnownCollector> {
  const folder = createFolder();
  const [places, listed] = [join(folder.path, 'places.mmdb'), join(folder.path, 'listed.csv')];
  writeFileSync(places, geography(Date.now()));
  writeFileSync(listed, reputation());
  writeFileSync(
    join(folder.path, 'ringflow.yml'),
    `data_dir: ./data
inlet: {listen: ["127.0.0.1:0"], seal_interval_ms: 200}
http: {port: 0, ingest: {enabled: true, token: ${INGEST_TOKEN}}}
log: {level: info, format: json}
${settings(places, listed)}`,
  );
  const collector = await startCollector(folder.path);
  let sent = 0;
  const stored = async (more: number): Promise<void> => {
    sent += more;
    await until(
      async () => (await collector.status()).ledger.stored >= sent,
      20_000,
      () => `${sent} records are not stored:\n${collector.output()}`,
    );
  };

  /** One exporter after the other: which of two that see the same packets comes first is then known. */
  async function send(records: readonly KnownRecord[]): Promise<void> {
    for (const exporter of Object.values(EXPORTERS)) {
      const flows = records.filter((record) => record.exporter === exporter).map(flowOf);
      const running = createExporter(exporter, { host: '127.0.0.1', port: collector.udpPort }, Date.now());
      await running.start();
      await running.send(flows, Date.now());
      await running.stop();
      await stored(flows.length);
    }
  }

  async function sendEarlier(hourMs: number): Promise<void> {
    const response = await fetch(`${collector.url}/api/v1/ingest`, {
      method: 'POST',
      headers: { authorization: `Bearer ${INGEST_TOKEN}`, 'content-type': 'application/json' },
      body: `[${EARLIER_FLOWS.map((flow) => earlierRecord(flow, hourMs)).join(',')}]`,
    });
    if (!response.ok) throw new Error(`ingest: ${response.status} ${await response.text()}`);
    await stored(EARLIER_FLOWS.length);
  }

  const stop = async () => {
    collector.kill('SIGTERM');
    await collector.exited;
    folder.remove();
  };
  return { ...collector, folder: folder.path, send, sendEarlier, stop };
}

/** A record in goflow2's JSON: what a router sends now cannot be of last week. */
function earlierRecord({ src, dst, exporter, startMs, endMs, bytes, packets }: EarlierFlow, hourMs: number): string {
  const ns = (ms: number): string => `${hourMs + ms}000000`;
  return (
    `{"type":"NETFLOW_V9","sampler_address":"${exporter}","sampling_rate":1,"time_received_ns":${ns(endMs)},` +
    `"time_flow_start_ns":${ns(startMs)},"time_flow_end_ns":${ns(endMs)},"src_addr":"${src}","dst_addr":"${dst}",` +
    `"src_port":40000,"dst_port":443,"proto":"TCP","etype":"IPv4","in_if":10,"out_if":1,` +
    `"bytes":${bytes},"packets":${packets}}`
  );
}
