/** Writer name of the demo's history in the spool; its traffic is of the past and no part of live counters. */
export const HISTORY_INLET = 'history';
