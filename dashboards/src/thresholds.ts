import { ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';

/** From which value on something has which colour; null = from the beginning. */
export type Steps = readonly { readonly value: number | null; readonly color: string }[];

/** Green, until a bound is reached. */
export const greenUntil = (...bounds: readonly (readonly [value: number, color: string])[]): Steps => [
  { value: null, color: 'green' },
  ...bounds.map(([value, color]) => ({ value, color })),
];

export function thresholds(steps: Steps): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(steps.map(({ value, color }) => ({ value, color })));
}
