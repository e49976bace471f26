import { randomUUID } from 'node:crypto';
import { EXPORT_REQUEST_SCHEMA, RingflowError, type ExportRequest } from '@ringflow/contract';
import { EXPORT_FORMATS, parseWindow, prepareExport, type ExportFormat } from '../query/index.ts';
import { createDeadline } from './deadline.ts';
import type { ApiAnswer, ApiRequest, Route, RouteContext } from './route.ts';

const SUMMARY = 'Single records of any filter and range as a file: Parquet, CSV or NDJSON';

export const EXPORT_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/export',
    operationId: 'exportFile',
    tag: 'query',
    summary: SUMMARY,
    access: 'token',
    query: {
      type: 'object',
      properties: {
        filter: { type: 'string', description: 'Condition that the records must meet', maxLength: 16_384 },
        from: { type: 'string', description: 'Beginning of the window; default now-1h', maxLength: 64 },
        to: { type: 'string', description: 'End of the window; default now', maxLength: 64 },
        format: { type: 'string', enum: Object.keys(EXPORT_FORMATS), description: 'Default: ndjson' },
        columns: { type: 'string', description: 'Stored fields, separated by commas; default: all', maxLength: 4096 },
      },
    },
    contentType: EXPORT_FORMATS.ndjson.contentType,
    handle: ({ query, ...request }, context) => {
      const { columns = '', ...rest } = query;
      const names = columns.split(',').filter((name) => name !== '');
      return exportFile({ ...rest, columns: names } as ExportRequest, request, context);
    },
  },
  {
    method: 'POST',
    path: '/api/v1/export',
    operationId: 'export',
    tag: 'query',
    summary: SUMMARY,
    access: 'token',
    body: EXPORT_REQUEST_SCHEMA,
    contentType: EXPORT_FORMATS.ndjson.contentType,
    handle: ({ body, ...request }, context) => exportFile(body as ExportRequest, request, context),
  },
];

/** Counts first, so that what is too much is refused at once, then writes the file and answers with it. */
async function exportFile(
  request: ExportRequest,
  { client, signal }: Pick<ApiRequest, 'client' | 'signal'>,
  { deps, config, bounds }: RouteContext,
): Promise<ApiAnswer> {
  const { filter = '', from = 'now-1h', to = 'now', format = 'ndjson', columns = [] } = request;
  const window = parseWindow(from, to, deps.now());
  const { count, rows } = prepareExport({ filter, columns, format: format as ExportFormat }, window, {
    names: deps.names,
    filterOptions: { sets: deps.sets ?? {} },
  });
  const { max_rows: maxRows, max_bytes: maxBytes, timeout_seconds: timeoutSeconds } = bounds;
  const deadline = createDeadline(signal, timeoutSeconds * 1000);
  const options = {
    client,
    timeoutMs: timeoutSeconds * 1000,
    maxMemoryBytes: config.max_memory_bytes,
    signal: deadline.signal,
  };
  try {
    const counted = await deps.run(count, { ...options, maxRows: 1, id: randomUUID() });
    const records = Number(counted.columns[0]?.[0] ?? 0);
    if (records > maxRows)
      throw new RingflowError('query_too_large', `The export has ${records} records, more than ${maxRows}`, {
        hint: 'Export shorter windows one after the other, or raise http.export.max_rows',
      });
    const { engine, contentType } = EXPORT_FORMATS[format as ExportFormat];
    // Records may still come in between the two statements.
    const written = { ...options, maxRows: maxRows + maxRows / 10, maxBytes, format: engine, id: randomUUID() };
    const { stream, sizeBytes } = await deps.exportRows(rows, written);
    return {
      contentType,
      headers: {
        'content-disposition': `attachment; filename="${fileName(window.fromMs, window.toMs, format)}"`,
        'content-length': String(sizeBytes),
      },
      body: stream,
    };
  } catch (error) {
    if (deadline.expired())
      throw new RingflowError('query_timeout', `The export took longer than ${timeoutSeconds} s`, {
        hint: 'Export shorter windows, or raise http.export.timeout_seconds',
      });
    throw error;
  } finally {
    deadline.end();
  }
}

/** `ringflow-20260110T120000Z-20260110T130000Z.ndjson`. */
function fileName(fromMs: number, toMs: number, format: string): string {
  const text = (ms: number): string => new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');
  return `ringflow-${text(fromMs)}-${text(toMs)}.${format}`;
}
