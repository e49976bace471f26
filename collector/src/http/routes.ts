import { EVENT_ROUTES } from './event-routes.ts';
import { EXPORT_ROUTES } from './export-routes.ts';
import { FIELD_ROUTES } from './field-routes.ts';
import { FILTER_ROUTES } from './filter-routes.ts';
import { HISTORY_ROUTES } from './history-routes.ts';
import { INGEST_ROUTES } from './ingest-routes.ts';
import { QUERY_ROUTES } from './query-routes.ts';
import { RESOLVE_ROUTES } from './resolve-routes.ts';
import type { Route } from './route.ts';
import { TAIL_ROUTES } from './tail-routes.ts';
import { SCOREBOARD_ROUTES } from './scoreboard-routes.ts';
import { THREAT_ROUTES } from './threat-routes.ts';
import { STATUS_ROUTES } from './status-routes.ts';

/** All routes but `/openapi.json`, which describes them. */
export const ROUTES: readonly Route[] = [
  ...QUERY_ROUTES,
  ...TAIL_ROUTES,
  ...EXPORT_ROUTES,
  ...HISTORY_ROUTES,
  ...FILTER_ROUTES,
  ...FIELD_ROUTES,
  ...RESOLVE_ROUTES,
  ...THREAT_ROUTES,
  ...SCOREBOARD_ROUTES,
  ...EVENT_ROUTES,
  ...INGEST_ROUTES,
  ...STATUS_ROUTES,
];
