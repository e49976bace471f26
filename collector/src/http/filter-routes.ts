import {
  columnsOfFilter,
  completeFilter,
  FILTER_COMPLETE_REQUEST_SCHEMA,
  FILTER_COMPLETE_RESPONSE_SCHEMA,
  FILTER_VALIDATE_REQUEST_SCHEMA,
  FILTER_VALIDATE_RESPONSE_SCHEMA,
  formatFilter,
  formatFilterText,
  parseFilter,
  type FilterCompleteRequest,
  type FilterCompleteResponse,
  type FilterSuggestion,
  type FilterValidateRequest,
  type FilterValidateResponse,
} from '@ringflow/contract';
import type { Route, RouteContext } from './route.ts';

/** Values offered at the cursor. */
const MAX_VALUES = 20;
/** Values come from the traffic of this long before now. */
const VALUES_WINDOW_MS = 3_600_000;

export const FILTER_ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v1/filter/validate',
    operationId: 'validateFilter',
    tag: 'filter',
    summary: 'Says whether a filter can be used, and if not, where and why',
    access: 'token',
    body: FILTER_VALIDATE_REQUEST_SCHEMA,
    answer: FILTER_VALIDATE_RESPONSE_SCHEMA,
    handle: ({ body }, { deps }) => {
      const { tree, error } = parseFilter((body as FilterValidateRequest).filter, { sets: deps.sets ?? {} });
      const answer: FilterValidateResponse = error
        ? {
            valid: false,
            error: {
              code: error.code,
              message: error.message,
              position: error.position,
              expected: [...error.expected],
              ...(error.hint === undefined ? {} : { hint: error.hint }),
            },
          }
        : { valid: true, filter: formatFilter(tree), columns: columnsOfFilter(tree) };
      return { body: answer };
    },
  },
  {
    method: 'POST',
    path: '/api/v1/filter/complete',
    operationId: 'completeFilter',
    tag: 'filter',
    summary: 'Suggests what can stand at the cursor; values come from the traffic of the last hour',
    access: 'token',
    body: FILTER_COMPLETE_REQUEST_SCHEMA,
    answer: FILTER_COMPLETE_RESPONSE_SCHEMA,
    handle: async ({ body, client, signal }, context) => {
      const { filter, cursor = filter.length } = body as FilterCompleteRequest;
      const { suggestions, replace, needsValues } = completeFilter(filter, Math.min(cursor, filter.length), {
        sets: context.deps.sets ?? {},
      });
      const values = needsValues ? await valuesFor(needsValues, client, signal, context) : [];
      const answer: FilterCompleteResponse = { suggestions: [...values, ...suggestions], replace };
      return { body: answer };
    },
  },
];

async function valuesFor(
  { field, prefix }: { field: string; prefix: string },
  client: string,
  signal: AbortSignal,
  { answers, deps }: RouteContext,
): Promise<FilterSuggestion[]> {
  const toMs = deps.now();
  try {
    const { values } = await answers.values(
      { field, search: prefix, limit: MAX_VALUES, filter: '' },
      { fromMs: toMs - VALUES_WINDOW_MS, toMs },
      client,
      signal,
    );
    return values.map(({ value, text }) => ({
      text: formatFilterText(value),
      kind: 'value',
      detail: text,
    }));
  } catch (error) {
    // Without the store the grammar still completes; an editor that stops at every hiccup helps nobody.
    deps.log.warn({ error: String(error) }, 'no values for completion');
    return [];
  }
}
