import { FIELD_ROUTES } from './field-routes.ts';
import { FILTER_ROUTES } from './filter-routes.ts';
import { QUERY_ROUTES } from './query-routes.ts';
import type { Route } from './route.ts';
import { STATUS_ROUTES } from './status-routes.ts';

/** All routes but `/openapi.json`, which describes them. */
export const ROUTES: readonly Route[] = [...QUERY_ROUTES, ...FILTER_ROUTES, ...FIELD_ROUTES, ...STATUS_ROUTES];
