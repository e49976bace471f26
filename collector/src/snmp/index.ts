export { createAccuracyMeter } from './accuracy.ts';
export type { Accuracy } from './accuracy.ts';
export { createSnmpPoller } from './poller.ts';
export type { SnmpStatus } from './poller.ts';
