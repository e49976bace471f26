import type { Placed, Statement } from './statements.ts';

/** What a file of CUFlow's OutputDir counts. */
export interface CuflowFile {
  /** Path in OutputDir. */
  readonly path: string;
  /** Alias of the router whose folder it lies in; empty = all of them. */
  readonly router: string;
  readonly kind: 'total' | 'protocol' | 'tos' | 'as' | 'network' | 'service' | 'multicast';
  readonly label: string;
}

/**
 * Tells by its name what a file counts (CUFlow.pm `report`): `total.rrd`, `protocol_tcp.rrd`, `service_http_src.rrd` …,
 * the same in a folder for each router. Null for what is no file of CUFlow.
 */
export function describeFile(path: string): CuflowFile | null {
  const [, router = '', name = ''] = /^(?:([^/]+)\/)?([^/]+)\.rrd$/.exec(path) ?? [];
  if (name === 'total') return { path, router, kind: 'total', label: '' };
  if (name === 'protocol_multicast') return { path, router, kind: 'multicast', label: '' };
  const [, kind, label = ''] = /^(protocol|tos|as|network|service)_(.+)$/.exec(name) ?? [];
  if (kind === undefined) return null;
  if (kind !== 'service') return { path, router, kind: kind as CuflowFile['kind'], label };
  // What was counted by source port and what by destination port come together.
  const [, service] = /^(.+)_(?:src|dst)$/.exec(label) ?? [];
  return service === undefined ? null : { path, router, kind: 'service', label: service };
}

/** What the labels of files stand for, out of CUFlow.cf. */
export interface Labels {
  /** Alias → address of the router. */
  readonly routers: ReadonlyMap<string, string>;
  readonly protocols: ReadonlyMap<string, number>;
  readonly services: ReadonlyMap<string, Extract<Statement, { kind: 'service' }>>;
  readonly tos: ReadonlyMap<string, number>;
  readonly as: ReadonlyMap<string, number>;
}

/** Groups of several ToS values or AS numbers are known by their first one. */
export function labelsOf(statements: readonly Placed[]): Labels {
  const labels = {
    routers: new Map<string, string>(),
    protocols: new Map<string, number>(),
    services: new Map<string, Extract<Statement, { kind: 'service' }>>(),
    tos: new Map<string, number>(),
    as: new Map<string, number>(),
  };
  for (const statement of statements) {
    if (statement.kind === 'router') labels.routers.set(statement.alias, statement.address);
    else if (statement.kind === 'protocol') labels.protocols.set(statement.alias, statement.proto);
    else if (statement.kind === 'service') labels.services.set(statement.label, statement);
    else if (statement.kind === 'tos') labels.tos.set(statement.label, statement.ranges[0]?.[0] ?? 0);
    else if (statement.kind === 'asnumber') labels.as.set(statement.label, statement.ranges[0]?.[0] ?? 0);
  }
  return labels;
}
