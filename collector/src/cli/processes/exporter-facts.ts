import { MAX_ROWS, type NameEntry } from '@ringflow/contract';
import type { Config } from '../../config/index.ts';
import type { InterfaceCounters } from '../../inlet/index.ts';
import type { Metrics } from '../../metrics/index.ts';
import { createNamesFile, type Inventory } from '../../names/index.ts';
import { prepareQuery, type OldestByTable, type RunQuery } from '../../query/index.ts';
import { createAccuracyMeter, createSnmpPoller, type Accuracy, type SnmpStatus } from '../../snmp/index.ts';
import type { Log } from '../log.ts';

export interface ExporterFactsDeps {
  readonly inventory: Inventory;
  /** Text forms of the addresses of exporters that send. */
  readonly exporters: () => readonly string[];
  readonly onNames: (entries: readonly NameEntry[]) => void;
  /** Entries of the file replace those of its earlier content. */
  readonly onFile: (entries: readonly NameEntry[]) => void;
  readonly run: RunQuery;
  readonly oldest: () => OldestByTable;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly now: () => number;
}

/** What is found out about exporters beside their flows: by SNMP, from a file, by their counters. */
export interface ExporterFacts {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** sFlow's counter samples. */
  counters(samples: readonly InterfaceCounters[]): void;
  snmp(): readonly SnmpStatus[];
}

const QUERY_LIMITS = { timeoutMs: 30_000, maxRows: MAX_ROWS, maxMemoryBytes: 512 * 1024 ** 2 };

export function createExporterFacts(config: Config, deps: ExporterFactsDeps): ExporterFacts {
  const { log, metrics } = deps;
  let queries = 0;
  const accuracy = createAccuracyMeter({
    flowBytes,
    onAccuracy: show,
    onError: (error) => log.debug({ err: error }, 'flows could not be compared with the counters of an interface'),
  });
  const poller = createSnmpPoller(config.snmp, {
    exporters: deps.exporters,
    onNames: deps.onNames,
    onCounters: (exporter, { interfaces, atMs }) =>
      accuracy.note(
        interfaces.flatMap(({ index, inBytes, outBytes }) =>
          inBytes === null || outBytes === null ? [] : [{ exporter, index, atMs, inBytes, outBytes }],
        ),
      ),
    log,
    now: deps.now,
  });
  const file =
    config.names.file === null
      ? null
      : createNamesFile(config.names.file, config.names.file_interval_seconds * 1000, {
          onEntries: deps.onFile,
          onError: (error) => log.error({ err: error }, 'the file of names cannot be used, what it said before stays'),
        });

  async function flowBytes(
    exporter: string,
    direction: 'in' | 'out',
    fromMs: number,
    toMs: number,
  ): Promise<ReadonlyMap<number, number>> {
    const dimension = `${direction}_if`;
    const prepared = prepareQuery(
      { kind: 'table', groupBy: [dimension], filter: `exporter = ${exporter}`, limit: MAX_ROWS, other: false },
      { fromMs, toMs },
      { names: deps.inventory, oldest: deps.oldest(), nowMs: deps.now() },
    );
    const results = await Promise.all(
      prepared.statements.map((statement) => deps.run(statement, { ...QUERY_LIMITS, id: `accuracy-${++queries}` })),
    );
    const [frame] = prepared.frames(results);
    const valuesOf = (name: string): unknown[] =>
      frame?.data.values[frame.schema.fields.findIndex((field) => field.name === name)] ?? [];
    const bytes = valuesOf('bytes');
    return new Map(valuesOf(dimension).map((index, row) => [Number(index), Number(bytes[row])]));
  }

  function show({ exporter, index, direction, flowBytes: flows, counterBytes }: Accuracy): void {
    const labels = { exporter, interface: String(index), direction };
    if (counterBytes > 0) metrics.set('ringflow_interface_flow_ratio', labels, flows / counterBytes);
  }

  return {
    async start() {
      await file?.start();
      poller.start();
    },
    async stop() {
      file?.stop();
      await poller.stop();
      await accuracy.settled();
    },
    counters: (samples) => accuracy.note(samples),
    snmp: () => poller.status(),
  };
}
