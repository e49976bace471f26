import type { Drill } from '../panels.ts';

/** From an address to whom it talks to. */
export const TO_CONVERSATIONS_OF = (field: string, filter: string): Drill => ({
  field,
  title: 'Conversations of ${__value.text}',
  board: 'ringflow-top-conversations',
  filter,
});

/** From a value to the records that have it. */
export const TO_RECORDS_OF = (field: string, filter: string): Drill => ({
  field,
  title: 'Flow records of ${__value.text}',
  board:
    filter.startsWith('client') || filter.startsWith('server')
      ? 'ringflow-records-client-server'
      : 'ringflow-records-src-dst',
  filter,
});
