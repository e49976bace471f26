import { COLUMNS, serviceName, type Column, type ColumnName, type NameEntry } from '@ringflow/contract';
import { createAddressFactsStep, type AddressFactsStatus } from './address-facts.ts';
import { createApplications } from './applications/applications.ts';
import { createAnonymize } from './anonymize/anonymize.ts';
import { createAsChoice } from './geo/as-choice.ts';
import { createAsaStep } from './asa.ts';
import type { EnrichConfig } from './config.ts';
import { createDuplicates } from './conversations/duplicates.ts';
import { createEndpoints } from './applications/endpoints.ts';
import { createFlowTable } from './conversations/flow-table.ts';
import { createGeo } from './geo/geo.ts';
import { createNetworks } from './networks/networks.ts';
import { createReputation, type ReputationListStatus } from './reputation/reputation.ts';
import { createRolesStep } from './conversations/roles.ts';
import { createSamplingStep, type SamplingStatus } from './sampling.ts';
import { createPortRanks } from './applications/service.ts';
import type { Step } from './step.ts';
import type { TableDeps } from './tables/table-deps.ts';
import { loadTableHere, type LoadTable } from './tables/table-worker.ts';
import type { FileStatus } from './tables/watched-file.ts';

export { ENRICH_DEFAULTS, ENRICH_SCHEMA } from './config.ts';
export type { EnrichConfig } from './config.ts';
export type { Step } from './step.ts';
export { createCryptopan, parseCryptopanKey } from './anonymize/cryptopan.ts';
export { createPrefixTableBuilder, findValue } from './tables/prefix-table.ts';
export { createTableWorkers, loadTableHere, runTableWorker, type LoadTable } from './tables/table-worker.ts';
export { createReputation } from './reputation/reputation.ts';
export type { Reputation, ReputationListStatus } from './reputation/reputation.ts';
export type { FileStatus } from './tables/watched-file.ts';

/** Not stored, but read by a step. */
const ONLY_FOR_STEPS = [
  'flow_id',
  'initiator',
  'app_id',
  'app_name',
  'vendor_app',
] as const satisfies readonly ColumnName[];

/** Columns that a batch must keep for the steps: the stored ones and what only the steps need. */
export const ENRICH_COLUMNS: readonly Column[] = COLUMNS.filter(
  (column: Column) => column.stored || (ONLY_FOR_STEPS as readonly string[]).includes(column.name),
);

export interface NamedStep {
  readonly name: string;
  readonly step: Step;
}

/** Everything that is added to rows, in one order that is written down here. */
export interface Enrich {
  /** Runs over every row once, before it is sealed. */
  readonly step: Step;
  /** What {@link step} consists of, in this order. */
  readonly steps: readonly NamedStep[];
  /** Loads the files that the steps look things up in, and begins to watch them; waits two seconds unless told. */
  start(longestWaitMs?: number): Promise<void>;
  stop(): Promise<void>;
  /** What exporters say about their numbers; the application step knows applications from it. */
  learn(entries: Iterable<NameEntry>): void;
  /** Names of ids that went into rows for the first time since the last call. */
  takeNames(): NameEntry[];
  status(): EnrichStatus;
}

/** For metrics and the status page. */
export interface EnrichStatus {
  readonly files: readonly FileStatus[];
  readonly addresses: AddressFactsStatus;
  readonly sampling: SamplingStatus;
  readonly reputation: readonly ReputationListStatus[];
  /** Records by word of `DUPLICATES` that were marked, since start. */
  readonly duplicates: Readonly<Record<string, number>>;
}

export interface EnrichDeps {
  /** Loads the files that steps look things up in; by default in the thread that asks. */
  readonly loadTable: LoadTable;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log?: EnrichLog;
}

/** As much of a log as is used: fields, then a message in lower case. */
export interface EnrichLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * All steps in their order, as one.
 *
 * @throws RangeError when the configuration names something that is no network or port
 */
export function createEnrich(config: EnrichConfig, deps: Partial<EnrichDeps> = {}): Enrich {
  const { log } = deps;
  const tables: TableDeps = {
    loadTable: deps.loadTable ?? loadTableHere,
    now: deps.now ?? Date.now,
    changed: () => facts.invalidate(),
    fileLoaded: ({ path, entries }) => log?.info({ file: path, entries }, 'enrichment file is in use'),
    fileFailed: (_error, { path, error, loadedMs }) =>
      log?.warn(
        { file: path, error },
        loadedMs > 0 ? 'enrichment file cannot be used, the one before stays' : 'enrichment file cannot be used',
      ),
  };
  const networks = createNetworks(config, tables);
  const geo = createGeo(config.geo, tables);
  const reputation = createReputation(config.reputation, {
    ...tables,
    own: config.own,
    privateRanges: config.private_ranges,
  });
  const facts = createAddressFactsStep({
    resolvers: [networks.resolve],
    publicResolvers: [geo.resolve, reputation.resolve],
    threatAtPort: reputation.threatAtPort,
    chooseAs: createAsChoice(config.geo.as_sources),
  });
  const sampling = createSamplingStep(config.sampling.default, config.sampling.override);
  const ports = createPortRanks((proto, port) => serviceName(proto, port) !== null, config.service.ports);
  const endpoints = createEndpoints(config.endpoints);
  const applications = createApplications(config, { endpoints, ports });
  const roles = createRolesStep({
    table: createFlowTable(config.roles.conversations),
    endpoints,
    ports,
    duplicates: config.duplicates.enabled ? createDuplicates(config.duplicates) : null,
    revise: applications.revise,
  });
  const anonymize = createAnonymize(config.anonymize, networks.isOwn);
  const steps: readonly NamedStep[] = [
    // Before anything that looks at counters.
    ...(config.asa.drop_repeated_totals ? [{ name: 'asa', step: createAsaStep() }] : []),
    { name: 'sampling', step: sampling.step },
    { name: 'addresses', step: facts.step },
    { name: 'as names', step: geo.tellAsNames },
    { name: 'reputation', step: reputation.step },
    { name: 'roles, duplicates', step: roles.step },
    { name: 'applications', step: applications.step },
    // Everything above looks things up by addresses as they are.
    { name: 'anonymization', step: anonymize.step },
  ];
  return {
    step(batch, from, to) {
      for (const { step } of steps) step(batch, from, to);
    },
    steps,
    start: async (longestWaitMs) =>
      void (await Promise.all([
        anonymize.start(),
        ...[networks, geo, reputation].map((source) => source.start(longestWaitMs)),
      ])),
    stop: async () => void (await Promise.all([networks.stop(), geo.stop(), reputation.stop()])),
    learn: applications.learn,
    takeNames: () => [
      ...networks.takeNames(),
      ...geo.takeNames(),
      ...reputation.takeNames(),
      ...applications.takeNames(),
    ],
    status: () => ({
      files: [...networks.files(), ...geo.files(), ...reputation.files()],
      addresses: facts.status(),
      sampling: sampling.status(),
      reputation: reputation.lists(),
      duplicates: roles.duplicates(),
    }),
  };
}
