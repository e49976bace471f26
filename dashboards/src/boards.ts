import type { Board } from './board.ts';
import { AS_TRAFFIC } from './views/as.ts';
import { DETAILS } from './views/details.ts';
import { EXPORTERS } from './views/exporters.ts';
import { FLOW_GRAPHS } from './views/flows.ts';
import { GEO } from './views/geo.ts';
import { HEALTH } from './views/health.ts';
import { OVERVIEW } from './views/overview.ts';
import { RECORDS } from './views/records.ts';
import { REPORTS } from './views/reports.ts';
import { THREATS } from './views/threats.ts';
import { TOP } from './views/top.ts';

/** Every dashboard, in the order of the navigation bar. */
export const BOARDS: readonly Board[] = [
  OVERVIEW,
  ...TOP,
  THREATS,
  ...FLOW_GRAPHS,
  ...GEO,
  AS_TRAFFIC,
  EXPORTERS,
  ...DETAILS,
  ...RECORDS,
  ...REPORTS,
  HEALTH,
];
