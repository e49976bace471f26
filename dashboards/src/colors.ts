import type { DynamicConfigValue, MatcherConfig } from '@grafana/grafana-foundation-sdk/dashboard';

/** One colour per fact, on every dashboard; names of Grafana's palette, so that light and dark themes both work. */
export const COLORS = {
  in: 'green',
  out: 'blue',
  internal: 'purple',
  transit: 'orange',
  TCP: 'blue',
  UDP: 'green',
  ICMP: 'yellow',
  'IPv6-ICMP': 'super-light-yellow',
  GRE: 'purple',
  ESP: 'orange',
  public: 'orange',
  private: 'green',
  other: 'gray',
} as const;

interface Override {
  readonly matcher: MatcherConfig;
  readonly properties: DynamicConfigValue[];
}

/** Overrides that give each known name its colour, whatever else stands in the panel. */
export function colorOverrides(): Override[] {
  return Object.entries(COLORS).map(([name, color]) => ({
    matcher: { id: 'byName', options: name },
    properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }],
  }));
}
