import {
  createFieldTable,
  describeQuery,
  logContextQuery,
  logVolumeQueries,
  migrateQuery,
  QUERY_VERSION,
  RingflowError,
} from '@ringflow/contract';
import {
  CoreApp,
  dateTime,
  LoadingState,
  SupplementaryQueryType,
  type AdHocVariableFilter,
  type DataFrame,
  type DataQueryRequest,
  type DataQueryResponse,
  type DataSourceGetTagKeysOptions,
  type DataSourceGetTagValuesOptions,
  type DataSourceInstanceSettings,
  type DataSourceWithLogsContextSupport,
  type DataSourceWithLogsLabelTypesSupport,
  type DataSourceWithQueryModificationSupport,
  type DataSourceWithSupplementaryQueriesSupport,
  type DataSourceWithToggleableQueryFiltersSupport,
  type LogRowContextOptions,
  type LogRowModel,
  type MetricFindValue,
  type QueryFilterOptions,
  type QueryFixAction,
  type ScopedVars,
  type SupplementaryQueryOptions,
  type ToggleFilterAction,
} from '@grafana/data';
import { DataSourceWithBackend, getTemplateSrv, type TemplateSrv } from '@grafana/runtime';
import { catchError, defer, firstValueFrom, map, of, switchMap, type Observable } from 'rxjs';
import { annotationSupport } from './annotations';
import { tagKeys, tagValues } from './data/adhoc';
import { createCollector, type Collector } from './data/collector';
import { withDetails } from './data/details';
import { errorText } from './data/errors';
import { eventFrame, isEventQuery } from './data/events';
import { addFilter, hasFilter, toggleFilter } from './data/filter-change';
import { labelGroup, reviveNested, withLevel } from './data/frames';
import { wantsHostNames, withHostNames } from './data/host-names';
import { interpolateQuery } from './data/interpolate';
import { isAnswerable } from './data/kind';
import { withLinks } from './data/links';
import { tail } from './data/live';
import type { FlowOptions, PanelQuery } from './types';
import { FlowVariableSupport } from './variables';

const FIELDS = createFieldTable();

/** Grafana's way in: everything here is passed on to the functions of `data/`, and to the backend, which asks the collector. */
export class FlowDataSource
  extends DataSourceWithBackend<PanelQuery, FlowOptions>
  implements
    DataSourceWithQueryModificationSupport<PanelQuery>,
    DataSourceWithToggleableQueryFiltersSupport<PanelQuery>,
    DataSourceWithSupplementaryQueriesSupport<PanelQuery>,
    DataSourceWithLogsContextSupport<PanelQuery>,
    DataSourceWithLogsLabelTypesSupport
{
  readonly collector: Collector;

  constructor(
    settings: DataSourceInstanceSettings<FlowOptions>,
    private readonly templates: () => TemplateSrv = getTemplateSrv,
  ) {
    super(settings);
    this.interval = settings.jsonData.timeInterval || undefined;
    this.collector = createCollector((path, params) => this.getResource(path, params));
    this.variables = new FlowVariableSupport(this);
    this.annotations = annotationSupport;
  }

  override getDefaultQuery(app: CoreApp): Partial<PanelQuery> {
    const version = QUERY_VERSION;
    if (app === CoreApp.Explore) return { version, kind: 'records', format: 'both', details: true, limit: 100 };
    // An alert rule watches one number first; groups are its labels once somebody wants them.
    if (app === CoreApp.UnifiedAlerting || app === CoreApp.CloudAlerting) return { version, kind: 'timeseries' };
    return { version, kind: 'timeseries', groupBy: ['app'] };
  }

  override filterQuery(query: PanelQuery): boolean {
    return !query.hide && (isEventQuery(query) || isAnswerable(migrateQuery(query)));
  }

  override getQueryDisplayText(query: PanelQuery): string {
    return describeQuery(query, FIELDS);
  }

  override applyTemplateVariables(
    query: PanelQuery,
    scopedVars: ScopedVars,
    filters?: AdHocVariableFilter[],
  ): PanelQuery {
    if (isEventQuery(query)) return query;
    return interpolateQuery(query, scopedVars, this.templates(), filters);
  }

  override interpolateVariablesInQueries(
    queries: PanelQuery[],
    scopedVars: ScopedVars,
    filters?: AdHocVariableFilter[],
  ): PanelQuery[] {
    return queries.map((query) => ({
      // What rows that open need beside their columns is added when they are asked for.
      ...this.applyTemplateVariables(query.details ? { ...query, details: false } : query, scopedVars, filters),
      ...(query.details === undefined ? {} : { details: query.details }),
      ...(query.resolve === undefined ? {} : { resolve: this.resolves(query, scopedVars) }),
      datasource: this.getRef(),
    }));
  }

  override query(request: DataQueryRequest<PanelQuery>): Observable<DataQueryResponse> {
    if (request.liveStreaming) return tail(this.prepared(request), this.uid);
    const targets = request.targets.filter((query) => this.filterQuery(query));
    if (targets.length === 0) return of({ data: [] });
    const asked = targets.some(isEventQuery)
      ? defer(() => this.events(targets.filter(isEventQuery), request))
      : defer(() => super.query({ ...request, targets }));
    return asked.pipe(
      map((response) => this.finished(response, request)),
      switchMap((response) => this.named(response, request)),
      map((response) => opened(response, request)),
      catchError((error: unknown) => of(failure(error, request))),
    );
  }

  /** An annotation asks for events; Grafana sends each annotation by itself. */
  private async events(queries: PanelQuery[], request: DataQueryRequest<PanelQuery>): Promise<DataQueryResponse> {
    const frames = queries.map((query) => eventFrame(query, request, this.collector, this.templates()));
    return { data: await Promise.all(frames) };
  }

  /** The queries of a request as they are sent. */
  private prepared(request: DataQueryRequest<PanelQuery>): PanelQuery[] {
    return request.targets
      .filter((query) => this.filterQuery(query))
      .map((query) => this.applyTemplateVariables(query, request.scopedVars, request.filters));
  }

  private finished(response: DataQueryResponse, request: DataQueryRequest<PanelQuery>): DataQueryResponse {
    const sent = new Map(this.prepared(request).map((query) => [query.refId, query.filter ?? '']));
    const target = { uid: this.uid, name: this.name };
    const data = response.data.map((frame: DataFrame) =>
      withLinks(withLevel(reviveNested(frame)), sent.get(frame.refId ?? '') ?? '', target),
    );
    const errors = (response.errors ?? (response.error ? [response.error] : undefined))?.map((error) => ({
      ...error,
      message: errorText(error),
    }));
    return { ...response, data, ...(errors ? { errors, state: LoadingState.Error } : {}) };
  }

  private resolves({ resolve }: PanelQuery, scopedVars: ScopedVars): boolean {
    return wantsHostNames(typeof resolve === 'string' ? this.templates().replace(resolve, scopedVars) : resolve);
  }

  /** Host names in place of addresses, for the queries that want them. */
  private named(response: DataQueryResponse, { targets, scopedVars }: DataQueryRequest<PanelQuery>) {
    const wanted = targets.filter((query) => this.resolves(query, scopedVars)).map(({ refId }) => refId);
    if (wanted.length === 0) return of(response);
    return withHostNames(
      response,
      ({ refId = '' }) => wanted.includes(refId),
      (addresses) => this.postResource('resolve', { addresses }),
    );
  }

  getSupportedQueryModifications(): string[] {
    return ['ADD_FILTER', 'ADD_FILTER_OUT'];
  }

  override modifyQuery(query: PanelQuery, action: QueryFixAction): PanelQuery {
    const { key, value } = action.options ?? {};
    if (key === undefined || value === undefined) return query;
    if (action.type !== 'ADD_FILTER' && action.type !== 'ADD_FILTER_OUT') return query;
    return { ...query, filter: addFilter(query.filter ?? '', { key, value }, action.type === 'ADD_FILTER') };
  }

  toggleQueryFilter(query: PanelQuery, { type, options }: ToggleFilterAction): PanelQuery {
    const { key = '', value = '' } = options;
    return { ...query, filter: toggleFilter(query.filter ?? '', { key, value }, type === 'FILTER_FOR') };
  }

  queryHasFilter(query: PanelQuery, { key = '', value = '' }: QueryFilterOptions): boolean {
    return hasFilter(query.filter ?? '', { key, value });
  }

  override getTagKeys(_options?: DataSourceGetTagKeysOptions<PanelQuery>): Promise<MetricFindValue[]> {
    return tagKeys(this.collector);
  }

  override getTagValues(options: DataSourceGetTagValuesOptions<PanelQuery>): Promise<MetricFindValue[]> {
    return tagValues(options, this.collector, this.templates());
  }

  getSupportedSupplementaryQueryTypes(): SupplementaryQueryType[] {
    return [SupplementaryQueryType.LogsVolume];
  }

  /** How many records there are at each time: the parts by severity are in `getSupplementaryRequest`. */
  getSupplementaryQuery({ type }: SupplementaryQueryOptions, query: PanelQuery): PanelQuery | undefined {
    if (type !== SupplementaryQueryType.LogsVolume || !this.hasVolume(query)) return undefined;
    const { refId, filter, duplicates } = migrateQuery(query);
    return {
      refId: `log-volume-${refId}`,
      datasource: this.getRef(),
      kind: 'timeseries',
      metric: 'flows',
      measure: 'total',
      filter,
      duplicates,
    };
  }

  getSupplementaryRequest(
    type: SupplementaryQueryType,
    request: DataQueryRequest<PanelQuery>,
  ): DataQueryRequest<PanelQuery> | undefined {
    if (type !== SupplementaryQueryType.LogsVolume) return undefined;
    const targets = request.targets
      .filter((query) => this.hasVolume(query))
      .flatMap((query) => logVolumeQueries(query).map((volume) => ({ ...volume.query, datasource: this.getRef() })));
    return targets.length === 0 ? undefined : { ...request, targets };
  }

  private hasVolume(query: PanelQuery): boolean {
    const { kind, format } = migrateQuery(query);
    return !query.hide && kind === 'records' && format !== 'table';
  }

  async getLogRowContext(row: LogRowModel, options?: LogRowContextOptions): Promise<DataQueryResponse> {
    const request = contextRequest(row, options);
    return firstValueFrom(
      defer(() => super.query(request)).pipe(catchError((error: unknown) => of(failure(error, request)))),
    );
  }

  getLabelDisplayTypeFromFrame(label: string): string | null {
    return labelGroup(label);
  }
}

/** Rows that can be opened, for the queries that want them. */
function opened(response: DataQueryResponse, { targets }: DataQueryRequest<PanelQuery>): DataQueryResponse {
  const asked = new Map(targets.map((query) => [query.refId, query]));
  const data = response.data.map((frame: DataFrame) => {
    const { details, columns = [] } = asked.get(frame.refId ?? '') ?? {};
    const isRows = frame.meta?.preferredVisualisationType !== 'logs';
    return details && isRows ? withDetails(frame, columns) : frame;
  });
  return { ...response, data };
}

/** What to ask for the hosts of a log line, before or after it. */
function contextRequest(row: LogRowModel, options: LogRowContextOptions | undefined): DataQueryRequest<PanelQuery> {
  const direction = options?.direction === 'FORWARD' ? 'forward' : 'backward';
  const { query, fromMs, toMs } = logContextQuery(row.labels, row.timeEpochMs, direction, options?.limit ?? 50);
  const [from, to] = [dateTime(fromMs), dateTime(toMs)];
  return {
    requestId: `flow-context-${row.uid}-${direction}`,
    app: CoreApp.Explore,
    interval: '1s',
    intervalMs: 1000,
    startTime: row.timeEpochMs,
    timezone: 'utc',
    range: { from, to, raw: { from, to } },
    scopedVars: {},
    targets: [query],
  };
}

/** An error as an answer: thrown, it would leave a panel turning for ever. */
function failure(error: unknown, { targets }: DataQueryRequest<PanelQuery>): DataQueryResponse {
  const hint = error instanceof RingflowError && error.hint ? `. ${error.hint}` : '';
  const message = errorText(error instanceof RingflowError ? { message: `${error.message}${hint}` } : error);
  const refId = targets[0]?.refId;
  return { data: [], state: LoadingState.Error, errors: [{ message, ...(refId === undefined ? {} : { refId }) }] };
}
