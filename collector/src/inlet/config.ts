/** What the inlet listens on, how it seals, and its bounds against floods (protocols X02, X03, X04, Q09). */
export interface InletConfig {
  /** `address:port`, `[address]:port` or a port alone (all addresses, IPv4 and IPv6). Any protocol on any port. */
  readonly listen: readonly string[];
  /** `recvmmsg` reads many datagrams per system call (Linux); `dgram` is Node's own socket; `auto` takes the best. */
  readonly receiver: 'auto' | 'recvmmsg' | 'dgram';
  /** Kernel receive buffer to ask for, per socket. */
  readonly receive_buffer_bytes: number;
  /** Networks that exporters may send from; empty = any. */
  readonly allow_exporters: readonly string[];
  /** A segment is sealed when its oldest row is this old, */
  readonly seal_interval_ms: number;
  /** or when it holds this many rows. */
  readonly row_limit: number;
  /** A per-exporter clock that is further off than this is corrected (C05). */
  readonly clock_threshold_ms: number;
  readonly limits: {
    /** Exporters (address and port) that have proven themselves and are never pushed out by unknown ones. */
    readonly known_sources: number;
    /** Addresses and ports on probation; the longest silent one goes first. */
    readonly unknown_sources: number;
    /** New addresses and ports per second; datagrams beyond are counted and dropped. */
    readonly new_sources_per_second: number;
    /**
     * Sequence and clock bookkeeping, over all exporters: one per source, protocol and observation domain, for sFlow
     * one per data source as well. About 1 KB each.
     */
    readonly sessions: number;
    /** Names (interfaces, VRFs, applications, samplers) remembered over all exporters. About 300 bytes each. */
    readonly names: number;
  };
}

export const INLET_DEFAULTS: InletConfig = {
  listen: ['[::]:2055', '[::]:4739', '[::]:6343'],
  receiver: 'auto',
  receive_buffer_bytes: 32 * 1024 * 1024,
  allow_exporters: [],
  seal_interval_ms: 1000,
  row_limit: 262_144,
  clock_threshold_ms: 600_000,
  limits: {
    known_sources: 8192,
    unknown_sources: 4096,
    new_sources_per_second: 10_000,
    sessions: 16_384,
    names: 65_536,
  },
};

/**
 * By how much V8 lets the heap of an inlet grow between collections: under a flood its tables are full and all else is
 * garbage, of which the default keeps as much again. Costs nothing measurable, since records are no objects.
 */
export const INLET_HEAP_GROWTH_PERCENT = 30;

const count = (description: string) => ({ type: 'integer', minimum: 1, description }) as const;

/** JSON schema (draft-07) of {@link InletConfig}, as the key `inlet` of ringflow.yml. */
export const INLET_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'Receiving datagrams',
  properties: {
    listen: {
      type: 'array',
      items: { type: 'string', pattern: '^(\\[[0-9A-Fa-f:.]+\\]:|[0-9.]+:|\\*:)?[0-9]{1,5}$' },
      description:
        'UDP addresses and ports, such as "[::]:2055", "192.0.2.1:2055" or "2055"; every port takes every protocol',
    },
    receiver: {
      enum: ['auto', 'recvmmsg', 'dgram'],
      description:
        'How datagrams are read: recvmmsg (Linux, many per system call), dgram (everywhere), auto (the best that works)',
    },
    receive_buffer_bytes: count('Kernel receive buffer to ask for, per socket; net.core.rmem_max bounds it'),
    allow_exporters: {
      type: 'array',
      items: { type: 'string' },
      description: 'Networks that exporters may send from, such as "10.0.0.0/8"; empty takes any',
    },
    seal_interval_ms: {
      type: 'integer',
      minimum: 10,
      maximum: 60_000,
      description: 'Milliseconds until received rows are sealed into a segment',
    },
    row_limit: { type: 'integer', minimum: 1, maximum: 4_194_304, description: 'Rows per segment' },
    clock_threshold_ms: count('An exporter clock that is further off is corrected to the arrival time'),
    limits: {
      type: 'object',
      additionalProperties: false,
      description: 'Bounds against floods and spoofed addresses',
      properties: {
        known_sources: count('Exporters (address and port) that unknown ones never push out'),
        unknown_sources: count('New addresses and ports remembered until they prove themselves'),
        new_sources_per_second: count('New addresses and ports per second; datagrams beyond are counted and dropped'),
        sessions: count(
          'Sequence and clock bookkeeping per source, protocol and observation domain, and per sFlow data source',
        ),
        names: count('Names of interfaces, VRFs, applications and samplers'),
      },
    },
  },
} as const;
