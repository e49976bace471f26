import { DEMO_DEFAULTS, DEMO_SCHEMA, type DemoConfig } from '../demo/config.ts';
import { ENRICH_DEFAULTS, ENRICH_SCHEMA, type EnrichConfig } from '../enrich/config.ts';
import { HISTORY_DEFAULTS, HISTORY_SCHEMA, type HistoryConfig } from '../history/config.ts';
import { HTTP_DEFAULTS, HTTP_SCHEMA, type HttpConfig } from '../http/config.ts';
import { INLET_DEFAULTS, INLET_SCHEMA, type InletConfig } from '../inlet/config.ts';
import { METRICS_DEFAULTS, METRICS_SCHEMA, type MetricsConfig } from '../metrics/config.ts';
import { NAMES_DEFAULTS, NAMES_SCHEMA, type NamesConfig } from '../names/config.ts';
import { QUERY_DEFAULTS, QUERY_SCHEMA, type QueryConfig } from '../query/config.ts';
import { RESOLVE_DEFAULTS, RESOLVE_SCHEMA, type ResolveConfig } from '../resolve/config.ts';
import { SCOREBOARD_DEFAULTS, SCOREBOARD_SCHEMA, type ScoreboardConfig } from '../scoreboard/config.ts';
import { SNMP_DEFAULTS, SNMP_SCHEMA, type SnmpConfig } from '../snmp/config.ts';
import { SPOOL_DEFAULTS, SPOOL_SCHEMA, type SpoolConfig } from '../spool/config.ts';
import { STORE_DEFAULTS, STORE_SCHEMA, type StoreConfig } from '../store/config.ts';
import { WIRE_DEFAULTS, WIRE_SCHEMA, type WireConfig } from '../wire/config.ts';
import type { Composition } from './load.ts';
import { LOG_DEFAULTS, LOG_SCHEMA, type LogConfig } from './log.ts';
import { PROCESSES_DEFAULTS, PROCESSES_SCHEMA, type ProcessesConfig } from './processes.ts';
import { isNumeric, type Schema } from './schema.ts';
import { unitOfKey } from './units.ts';

/** The whole of ringflow.yml: one section per room. */
export interface Config {
  /** Spool, store, templates and ledger are kept in here. */
  readonly data_dir: string;
  readonly inlet: InletConfig;
  readonly wire: WireConfig;
  readonly enrich: EnrichConfig;
  readonly spool: SpoolConfig;
  readonly store: StoreConfig;
  readonly query: QueryConfig;
  readonly http: HttpConfig;
  readonly history: HistoryConfig;
  readonly resolve: ResolveConfig;
  readonly metrics: MetricsConfig;
  readonly names: NamesConfig;
  readonly snmp: SnmpConfig;
  readonly scoreboard: ScoreboardConfig;
  readonly demo: DemoConfig;
  readonly processes: ProcessesConfig;
  readonly log: LogConfig;
}

export const CONFIG_DEFAULTS: Config = {
  data_dir: './data',
  inlet: INLET_DEFAULTS,
  wire: WIRE_DEFAULTS,
  enrich: ENRICH_DEFAULTS,
  spool: SPOOL_DEFAULTS,
  store: STORE_DEFAULTS,
  query: QUERY_DEFAULTS,
  http: HTTP_DEFAULTS,
  history: HISTORY_DEFAULTS,
  resolve: RESOLVE_DEFAULTS,
  metrics: METRICS_DEFAULTS,
  names: NAMES_DEFAULTS,
  snmp: SNMP_DEFAULTS,
  scoreboard: SCOREBOARD_DEFAULTS,
  demo: DEMO_DEFAULTS,
  processes: PROCESSES_DEFAULTS,
  log: LOG_DEFAULTS,
};

/** JSON schema (draft-07) of {@link Config}, after units were read. */
export const CONFIG_SCHEMA: Schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Ringflow configuration (ringflow.yml)',
  type: 'object',
  additionalProperties: false,
  properties: {
    data_dir: { type: 'string', minLength: 1, description: 'Folder of spool, store, templates and ledger' },
    inlet: INLET_SCHEMA,
    wire: WIRE_SCHEMA,
    enrich: ENRICH_SCHEMA,
    spool: SPOOL_SCHEMA,
    store: STORE_SCHEMA,
    query: QUERY_SCHEMA,
    http: HTTP_SCHEMA,
    history: HISTORY_SCHEMA,
    resolve: RESOLVE_SCHEMA,
    metrics: METRICS_SCHEMA,
    names: NAMES_SCHEMA,
    snmp: SNMP_SCHEMA,
    scoreboard: SCOREBOARD_SCHEMA,
    demo: DEMO_SCHEMA,
    processes: PROCESSES_SCHEMA,
    log: LOG_SCHEMA,
  } as Readonly<Record<string, Schema>>,
};

export const COMPOSITION: Composition = {
  schema: CONFIG_SCHEMA,
  defaults: CONFIG_DEFAULTS,
  aliases: { RINGFLOW_DATA: 'data_dir' },
  // RINGFLOW_CAPTURES and RINGFLOW_MAXMIND_TEST_DATA tell the tests where these are.
  reserved: [
    'RINGFLOW_CONFIG',
    'RINGFLOW_URL',
    'RINGFLOW_TOKEN',
    'RINGFLOW_CA',
    'RINGFLOW_CERT',
    'RINGFLOW_KEY',
    'RINGFLOW_CAPTURES',
    'RINGFLOW_MAXMIND_TEST_DATA',
  ],
};

/** The schema as it is shipped for editors: numbers that have a unit may be written as text with it. */
export function shippedSchema(schema: Schema = CONFIG_SCHEMA, key = ''): Schema {
  const unit = unitOfKey(key);
  if (unit && isNumeric(schema)) {
    const { description, ...number } = schema;
    return {
      ...(description === undefined ? {} : { description }),
      anyOf: [number, { type: 'string', description: `A ${unit.what} with its unit, for example ${unit.example}` }],
    };
  }
  return {
    ...schema,
    ...(schema.properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(schema.properties).map(([name, child]) => [name, shippedSchema(child, name)]),
          ),
        }),
  };
}
