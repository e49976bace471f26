/** The demo's traffic; `ringflow demo` only. */
export interface DemoConfig {
  /** Flow records per second over all exporters, at the busiest hour. */
  readonly flows_per_second: number;
  /** Hours of history that are filled in; what an earlier run has left is not filled in again. */
  readonly history_hours: number;
  /** Flow records per minute of history over all exporters, at the busiest hour. */
  readonly history_flows_per_minute: number;
  /** Days before those hours that are filled in with few, large flows: enough to compare with last week. */
  readonly history_days: number;
  /** Minutes between the beginnings of two incidents. */
  readonly incident_minutes: number;
  readonly seed: number;
}

export const DEMO_DEFAULTS: DemoConfig = {
  flows_per_second: 400,
  history_hours: 24,
  history_flows_per_minute: 2000,
  history_days: 28,
  incident_minutes: 5,
  seed: 1,
};

export const DEMO_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'Synthetic traffic of "ringflow demo"',
  properties: {
    flows_per_second: {
      type: 'number',
      minimum: 0,
      maximum: 100_000,
      description: 'Flow records per second over all exporters, at the busiest hour',
    },
    history_hours: {
      type: 'number',
      minimum: 0,
      maximum: 24,
      description: 'Hours of history that are filled in; what an earlier run has left is not filled in again',
    },
    history_flows_per_minute: {
      type: 'number',
      minimum: 1,
      maximum: 100_000,
      description: 'Flow records per minute of history over all exporters, at the busiest hour',
    },
    history_days: {
      type: 'number',
      minimum: 0,
      maximum: 60,
      description: 'Days before those hours that are filled in with few, large flows: enough to compare with last week',
    },
    incident_minutes: {
      type: 'number',
      minimum: 1,
      maximum: 1440,
      description: 'Minutes between the beginnings of two incidents',
    },
    seed: {
      type: 'integer',
      minimum: 0,
      description: 'Seed of the random numbers: the same seed gives the same network',
    },
  },
} as const;
