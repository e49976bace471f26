export { createEventLog, type EventLog, type Span } from './event-log.ts';
export { createEventWatch, type EventWatch } from './event-watch.ts';
