/** Why a statement failed; `cli/processes` turns it into what the user sees. */
export type EngineErrorCode =
  | 'query_timeout'
  | 'query_memory'
  | 'query_rows'
  | 'query_busy'
  | 'query_cancelled'
  | 'query_failed'
  | 'store_unavailable';

/** ClickHouse's own numbers (src/Common/ErrorCodes.cpp) that say which bound was passed or what is not there. */
const CODES: Readonly<Record<number, EngineErrorCode>> = {
  158: 'query_rows',
  159: 'query_timeout',
  160: 'query_timeout',
  202: 'store_unavailable',
  209: 'query_timeout',
  210: 'store_unavailable',
  241: 'query_memory',
  242: 'store_unavailable',
  243: 'query_memory',
  307: 'query_rows',
  394: 'query_cancelled',
  396: 'query_rows',
};

/** An error of the engine, embedded or remote. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  /** ClickHouse's number; 0 when the engine did not answer. */
  readonly engineCode: number;

  constructor(code: EngineErrorCode, engineCode: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'EngineError';
    this.code = code;
    this.engineCode = engineCode;
  }
}

/** Reads ClickHouse's number from what the client threw. */
export function toEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const {
    message = String(error),
    clickhouseCode,
    code,
  } = error as { message?: string; clickhouseCode?: number; code?: string | number };
  const number =
    clickhouseCode ?? Number(/\bCode: (\d+)\./.exec(message)?.[1] ?? (/^\d+$/.test(String(code)) ? code : 0));
  // Without a number nobody answered: refused, reset, timed out.
  const kind = CODES[number] ?? (number === 0 ? 'store_unavailable' : 'query_failed');
  return new EngineError(kind, number, message, error);
}
