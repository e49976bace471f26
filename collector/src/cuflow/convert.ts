import { formatProtocol, parsePrefix, prefixContains, serviceOf } from '@ringflow/contract';
import { compatWatches } from './compat.ts';
import { MULTICAST, portsFilter, seriesName, tosFilter } from './filters.ts';
import type { Remark } from './parse.ts';
import { formatRange, type Placed, type PortRange, type Statement } from './statements.ts';

/** What of ringflow.yml a migration writes; keys that are absent keep their defaults. */
export interface MigratedConfig {
  readonly enrich?: {
    readonly own?: readonly string[];
    readonly networks?: Readonly<Record<string, readonly string[]>>;
    readonly sampling?: { readonly override: Readonly<Record<string, number>> };
    readonly service?: { readonly ports: readonly string[] };
  };
  readonly names?: { readonly exporters: Readonly<Record<string, string>> };
  readonly metrics?: {
    readonly services?: Readonly<Record<string, readonly string[]>>;
    readonly watches?: Readonly<Record<string, string>>;
  };
  readonly scoreboard?: {
    readonly rows: number;
    readonly directory: string;
    readonly current: string;
    readonly overall?: string;
  };
  readonly log?: { readonly level: 'debug' };
}

export interface Migration {
  readonly config: MigratedConfig;
  /** What has no counterpart, or another one than expected, with the mend. */
  readonly warnings: readonly Remark[];
}

/** Services of more ports than this become a watch: a list of single ports would fill pages. */
const MAX_LISTED_PORTS = 64;
/** Filters that are counted on /metrics (metrics.watches), and services that are worth their cost. */
const MAX_WATCHES = 100;
const MANY_SERVICES = 200;
/** Protocols whose ports can be own services (enrich.service.ports). */
const WITH_PORTS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 33: 'dccp', 132: 'sctp', 136: 'udplite' };

type Of<K extends Statement['kind']> = Extract<Placed, { kind: K }>;

/**
 * CUFlow's configuration as ours. What CUFlow only counts when it is told to (protocols, ToS, networks, exporters) is
 * always there here; statements give it names. Groups of values become watches, which are counted on `/metrics` by name.
 *
 * @param compat write a watch for each of CUFlow's files and directions instead, with its counting rules (docs/how-to)
 */
export function convertCuflow(statements: readonly Placed[], compat = false): Migration {
  const warnings: Remark[] = [];
  const of = <K extends Statement['kind']>(kind: K): Of<K>[] =>
    statements.filter((statement): statement is Of<K> => statement.kind === kind);
  const warn = ({ line }: { readonly line: number }, message: string): void => void warnings.push({ line, message });

  const own = of('subnet').map(({ prefix }) => prefix);
  if (own.length === 0)
    warnings.push({
      line: 1,
      message: 'No Subnet: the private networks count as own ones; set enrich.own to tell in from out',
    });
  const networks = new Map<string, readonly string[]>();
  for (const network of of('network')) {
    networks.set(network.label.replace(/,/g, '_'), network.prefixes);
    for (const prefix of network.prefixes) {
      if (!own.some((subnet) => isInside(prefix, subnet)))
        warn(
          network,
          `${prefix} of Network ${network.label} lies in no Subnet: CUFlow counted nothing of it, here it counts`,
        );
    }
  }
  const exporters: Record<string, string> = {};
  for (const { address, alias } of of('router')) if (alias !== address) exporters[address] = alias;
  const override: Record<string, number> = {};
  for (const statement of of('samplerate')) {
    if (statement.rate >= 1 && statement.rate <= 4_294_967_295) override[statement.address] = statement.rate;
    else warn(statement, `SampleRate ${statement.rate} is left out: write a rate from 1 in enrich.sampling.override`);
  }
  const services = servicesOf(of('service'), warn);
  const plain = { ...services.watches, ...groupWatches(of, warn) };
  const watches = compat ? compatWatches(statements) : plain;
  const names = Object.keys(watches);
  for (const left of names.slice(MAX_WATCHES))
    warnings.push({
      line: 1,
      message: `${left} is left out: ${MAX_WATCHES} watches are the most; choose them in metrics.watches`,
    });

  const scoreboard = scoreboardOf(of, warn);
  for (const statement of of('outputdir'))
    warn(
      statement,
      `OutputDir ${statement.path} has no counterpart: everything is kept in data_dir, in the budget of store.max_bytes; bring its history with --rrd ${statement.path}`,
    );
  return {
    config: {
      enrich: {
        ...(own.length > 0 ? { own } : {}),
        ...(networks.size > 0 ? { networks: Object.fromEntries(networks) } : {}),
        ...(isEmpty(override) ? {} : { sampling: { override } }),
        ...(services.ports.length > 0 ? { service: { ports: services.ports } } : {}),
      },
      ...(isEmpty(exporters) ? {} : { names: { exporters } }),
      metrics: {
        ...(isEmpty(services.named) ? {} : { services: services.named }),
        ...(names.length > 0 ? { watches: Object.fromEntries(Object.entries(watches).slice(0, MAX_WATCHES)) } : {}),
      },
      ...scoreboard,
    },
    warnings: warnings.sort((a, b) => a.line - b.line),
  };
}

function isEmpty(record: object): boolean {
  return Object.keys(record).length === 0;
}

function isInside(inner: string, outer: string): boolean {
  const [a, b] = [parsePrefix(inner), parsePrefix(outer)];
  return a !== null && b !== null && a.bits >= b.bits && prefixContains(b, a.bytes);
}

function servicesOf(
  statements: readonly Of<'service'>[],
  warn: (place: { readonly line: number }, message: string) => void,
): { ports: string[]; named: Record<string, string[]>; watches: Record<string, string> } {
  const ports = new Set<string>();
  const named: Record<string, string[]> = {};
  const watches: Record<string, string> = {};
  for (const statement of statements) {
    const name = seriesName(statement.label);
    if (name !== statement.label) warn(statement, `Service ${statement.label} is called ${name}`);
    for (const { proto, from, to } of statement.ports) {
      const protocol = WITH_PORTS[proto];
      if (protocol === undefined || from === 0) {
        warn(
          statement,
          `${from}/${formatProtocol(proto)} of Service ${statement.label} cannot name the service of a record; it is counted by its filter`,
        );
        continue;
      }
      ports.add(`${protocol}/${formatRange([from, to])}`);
    }
    const count = statement.ports.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    if (count <= MAX_LISTED_PORTS && statement.ports.every(({ proto, from }) => proto in WITH_PORTS && from > 0))
      named[name] = statement.ports.flatMap(({ proto, from, to }) =>
        Array.from({ length: to - from + 1 }, (_, index) => `${WITH_PORTS[proto]}/${from + index}`),
      );
    else watches[`service_${name}`.slice(0, 64)] = portsFilter(statement.ports);
  }
  const last = statements.at(-1);
  if (last && statements.length > MANY_SERVICES)
    warn(
      last,
      `${statements.length} services are many series on /metrics: keep those that you look at in metrics.services`,
    );
  return { ports: [...ports], named, watches };
}

/** Protocols, ToS, AS groups and multicast as filters. */
function groupWatches(
  of: <K extends Statement['kind']>(kind: K) => Of<K>[],
  warn: (place: { readonly line: number }, message: string) => void,
): Record<string, string> {
  const watches: Record<string, string> = {};
  const add = (statement: Placed, kind: string, label: string, filter: string): void => {
    const name = seriesName(`${kind}_${label}`);
    if (name !== `${kind}_${label}`) warn(statement, `${statement.kind} ${label} is called ${name}`);
    watches[name] = filter;
  };
  for (const statement of of('protocol')) add(statement, 'protocol', statement.alias, `proto = ${statement.proto}`);
  for (const statement of of('tos')) add(statement, 'tos', statement.label, tosFilter(statement));
  for (const statement of of('asnumber')) {
    add(statement, 'as', statement.label, `as in (${statement.ranges.map(formatRange).join(', ')})`);
    warn(statement, 'AS numbers come from the exporter, or from a database that enrich.geo names');
  }
  if (of('multicast').length > 0) watches['multicast'] = MULTICAST;
  return watches;
}

function scoreboardOf(
  of: <K extends Statement['kind']>(kind: K) => Of<K>[],
  warn: (place: { readonly line: number }, message: string) => void,
): Pick<MigratedConfig, 'scoreboard'> {
  const board = of('scoreboard').at(-1);
  const aggregate = of('aggregate').at(-1);
  if (!board) {
    if (aggregate)
      warn(
        aggregate,
        'AggregateScore needs a Scoreboard statement and is left out: "ringflow scoreboard --overall" shows it',
      );
    return {};
  }
  if (aggregate)
    warn(aggregate, `AggregateScore's file is kept in the store: bring what it knows with --agg ${aggregate.file}`);
  return {
    scoreboard: {
      rows: Math.min(Math.max(board.rows, 1), 100),
      directory: board.directory,
      current: board.current,
      ...(aggregate ? { overall: aggregate.output } : {}),
    },
  };
}

/** Number that stands for a service in rows: that of its first port. */
export function serviceNumber({ ports }: { readonly ports: readonly PortRange[] }): number {
  const [first] = ports;
  return first ? serviceOf(first.proto, first.from) : 0;
}
