import type { FlowQueryInput } from '@ringflow/contract';
import type { DataSourceJsonData } from '@grafana/data';
import type { DataQuery } from '@grafana/schema';

/** A query as a panel, Explore or an alert rule keeps it: any part of the model may be missing, it may be of any version. */
export type PanelQuery = DataQuery & FlowQueryInput & EventParts & ViewParts;

/** What becomes of an answer in the browser; the collector is not told. */
export interface ViewParts {
  /** `records`: rows can be opened, and say everything that the columns do not show. */
  details?: boolean;
  /** Host names in place of addresses: true, or a variable that holds `on` or `off`. */
  resolve?: boolean | string;
}

/** What a variable asks for. `refId` is Grafana's. */
export interface VariableQuery extends DataQuery {
  type?: VariableType;
  /** `values`: whose values; may hold variables. */
  field?: string;
  /** Condition that the traffic must meet, so that one variable can depend on another. */
  filter?: string;
}

export type VariableType = 'values' | 'exporters' | 'interfaces' | 'networks' | 'fields';

/** What an annotation asks for: which events, of which exporters. */
export interface EventParts {
  /** Kinds of events; empty = all. */
  kinds?: string[];
  /** Exporters by address; may hold variables; empty = all. */
  exporters?: string[];
}

/** Settings that anybody who may read the data source may see. */
export interface FlowOptions extends DataSourceJsonData {
  /** Seconds that a query may take. */
  timeout?: number;
  /** Shortest length of a bucket, `1m`; Grafana's own name. */
  timeInterval?: string;
  tlsSkipVerify?: boolean;
  tlsAuth?: boolean;
  tlsAuthWithCACert?: boolean;
  serverName?: string;
}

/** Settings that never leave the server. */
export interface FlowSecrets {
  token?: string;
  tlsCACert?: string;
  tlsClientCert?: string;
  tlsClientKey?: string;
}
