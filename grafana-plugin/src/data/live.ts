import { LOG_COLUMNS, recordsToLogs, type TailLine } from '@ringflow/contract';
import {
  dataFrameFromJSON,
  LoadingState,
  type DataFrame,
  type DataFrameJSON,
  type DataQueryResponse,
  type Field,
} from '@grafana/data';
import { getBackendSrv } from '@grafana/runtime';
import { catchError, concat, EMPTY, from, map, merge, mergeMap, Observable, of, scan } from 'rxjs';
import type { PanelQuery } from '../types';
import { errorText } from './errors';

/** Lines that stay on the screen. */
const MOST_LINES = 500;

/** Reads newline-delimited JSON from the chunks of a connection that stays open. */
export function jsonLines<T>(chunks: Observable<Uint8Array | undefined>): Observable<T> {
  return new Observable((subscriber) => {
    const decoder = new TextDecoder();
    let rest = '';
    return chunks.subscribe({
      next: (chunk) => {
        rest += decoder.decode(chunk, { stream: true });
        const lines = rest.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          if (line.trim() === '') continue;
          try {
            subscriber.next(JSON.parse(line) as T);
          } catch {
            subscriber.error(
              new Error('The live answer cannot be read: something between Grafana and the collector changed it'),
            );
            return;
          }
        }
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    });
  });
}

/** The records of each query as they are stored, as log lines; ends when nobody listens any more. */
export function tail(queries: readonly PanelQuery[], uid: string): Observable<DataQueryResponse> {
  if (queries.length === 0) return of({ data: [], state: LoadingState.Done });
  return merge(...queries.map((query) => tailOne(query, uid)));
}

function tailOne({ refId, filter = '' }: PanelQuery, uid: string): Observable<DataQueryResponse> {
  const key = `tail-${refId}`;
  const chunks = getBackendSrv()
    .chunked({
      url: `/api/datasources/uid/${uid}/resources/tail`,
      method: 'GET',
      params: { columns: LOG_COLUMNS.join(','), ...(filter === '' ? {} : { filter }) },
      showErrorAlert: false,
    })
    .pipe(map(({ data }) => data));
  const failed = (error: unknown): DataQueryResponse => ({
    data: [],
    key,
    state: LoadingState.Error,
    errors: [{ refId, message: errorText(error) }],
  });
  const packets = jsonLines<TailLine>(chunks).pipe(
    scan((state: TailState, line) => nextState(state, line, refId), { frame: undefined, leftOut: 0, line: undefined }),
    mergeMap(({ frame, line }) => {
      const shown = frame ? of({ data: [frame], key, state: LoadingState.Streaming }) : EMPTY;
      return line?.error ? concat(shown, of(failed(line.error))) : shown;
    }),
    catchError((error: unknown) => of(failed(error))),
  );
  // Says at once that the connection stands: the first records may take a while.
  return concat(of({ data: [], key, state: LoadingState.Streaming }), from(packets));
}

interface TailState {
  readonly frame: DataFrame | undefined;
  readonly leftOut: number;
  readonly line: TailLine | undefined;
}

function nextState({ frame, leftOut }: TailState, line: TailLine, refId: string): TailState {
  const missing = leftOut + line.leftOut;
  if (!line.frame) return { frame, leftOut: missing, line };
  const added = dataFrameFromJSON(recordsToLogs(line.frame) as DataFrameJSON);
  const fields = added.fields.map((field, index) => appended(frame?.fields[index], field));
  const notices =
    missing > 0
      ? [{ severity: 'info' as const, text: `${missing} more records matched than can be shown: narrow the filter` }]
      : [];
  const next = { ...added, refId, fields, length: fields[0]?.values.length ?? 0, meta: { ...added.meta, notices } };
  return { frame: next, leftOut: missing, line };
}

/** The last lines of both; Grafana reads the nanoseconds of every row that has a time. */
function appended(before: Field | undefined, { nanos, ...field }: Field): Field {
  const values = [...(before?.values ?? []), ...field.values].slice(-MOST_LINES);
  if (!nanos && !before?.nanos) return { ...field, values };
  const of = (part: Field | undefined, own: number[] | undefined) => own ?? (part?.values ?? []).map(() => 0);
  return { ...field, values, nanos: [...of(before, before?.nanos), ...of(field, nanos)].slice(-MOST_LINES) };
}
