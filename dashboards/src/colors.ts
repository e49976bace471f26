import type { DynamicConfigValue, MatcherConfig } from '@grafana/grafana-foundation-sdk/dashboard';

// One colour per fact, on every dashboard; names of Grafana's palette, so that light and dark themes both work.

const DIRECTIONS = { in: 'green', out: 'blue', internal: 'purple', transit: 'orange' };
const PROTOCOLS = {
  TCP: 'blue',
  UDP: 'green',
  ICMP: 'yellow',
  'IPv6-ICMP': 'super-light-yellow',
  GRE: 'purple',
  ESP: 'orange',
};
const VERSIONS_AND_PROTOCOLS = {
  'IPv4 TCP': PROTOCOLS.TCP,
  'IPv6 TCP': 'super-light-blue',
  'IPv4 UDP': PROTOCOLS.UDP,
  'IPv6 UDP': 'super-light-green',
  'IPv4 ICMP': PROTOCOLS.ICMP,
  'IPv6 IPv6-ICMP': PROTOCOLS['IPv6-ICMP'],
};
/** What most networks have most of; all others get what the palette has next. */
const SERVICES = {
  'https (TCP/443)': 'blue',
  'https (UDP/443)': 'super-light-blue',
  'http (TCP/80)': 'dark-blue',
  'domain (UDP/53)': 'orange',
  'domain (TCP/53)': 'light-orange',
  'ssh (TCP/22)': 'red',
  'smtp (TCP/25)': 'dark-red',
  'imaps (TCP/993)': 'light-red',
  'ntp (UDP/123)': 'light-yellow',
  'stun (UDP/3478)': 'purple',
  'sip (UDP/5060)': 'light-purple',
  'ipsec-nat-t (UDP/4500)': 'green',
  'ms-wbt-server (TCP/3389)': 'yellow',
};
const LOCALITIES = { public: 'orange', private: 'green' };
const CATEGORIES = {
  bot: 'red',
  malware: 'dark-red',
  scanner: 'orange',
  spam: 'yellow',
  worm: 'purple',
};
const REST = { other: 'gray', unknown: 'darkgray' };

/** By field that is grouped by. */
const COLORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  direction: DIRECTIONS,
  proto: PROTOCOLS,
  etype: VERSIONS_AND_PROTOCOLS,
  service: SERVICES,
  app: SERVICES,
  locality: LOCALITIES,
  client_threat_category: CATEGORIES,
  server_threat_category: CATEGORIES,
};

export interface Override {
  readonly matcher: MatcherConfig;
  readonly properties: DynamicConfigValue[];
}

/**
 * Overrides that give each known value of the fields its colour, whatever else is shown. Exporters have none that could be
 * known here: panels order them by bytes, so that each has the same place in the palette.
 */
export function colorOverrides(groupBy: readonly string[] = [], matching: 'series' | 'rows' = 'series'): Override[] {
  const known = groupBy.length === 0 ? mirroredTotals() : groupBy.map((field) => COLORS[field] ?? {});
  const colors = Object.entries(Object.assign({}, REST, ...known) as Record<string, string>);
  return colors.map(([name, fixedColor]) => ({
    matcher: matching === 'rows' ? { id: 'byName', options: name } : seriesMatcher(name),
    properties: [{ id: 'color', value: { mode: 'fixed', fixedColor } }],
  }));
}

/** A mirrored series has the colour of what it mirrors. */
function seriesMatcher(name: string): MatcherConfig {
  return { id: 'byRegexp', options: `/^${name.replace(/[()/]/g, '\\$&')}( \\((in|out|from|to)\\))?$/` };
}

/** The two ways of a total are directions. */
function mirroredTotals(): Record<string, string>[] {
  return [{ 'Bits/s (in)': DIRECTIONS.in, 'Bits/s (out)': DIRECTIONS.out }];
}
