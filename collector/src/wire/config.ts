/** What the decoders keep in memory and how long; protocols T08, T11, X02. */
export interface WireConfig {
  readonly templates: {
    /** Templates kept per exporter address; the least recently used one goes first (X02). */
    readonly max_per_exporter: number;
    /** Templates kept over all exporters; the exporter that holds most gives one up (X02). */
    readonly max_total: number;
    /** A template with more fields than this is refused (X02). */
    readonly max_fields: number;
    /** A template that was neither announced nor used for this long is forgotten (T11). */
    readonly max_age_seconds: number;
  };
  readonly parking: {
    /** Bytes of data sets that wait for their template, over all exporters (T08). */
    readonly max_bytes: number;
    /** The same per exporter, observation domain and template. */
    readonly max_bytes_per_template: number;
    /** How long a data set waits for its template. */
    readonly max_age_seconds: number;
  };
  readonly clock: {
    /** A flow time further ahead of the exporter's clock than this is an anomaly (C04). */
    readonly max_ahead_seconds: number;
    /** A flow time older than this, seen from the exporter's clock, is an anomaly (C04). */
    readonly max_behind_seconds: number;
    /** An exporter's clock this far ahead of the collector's is wrong: the arrival time takes its place (C05). */
    readonly max_lead_seconds: number;
  };
  readonly sflow: {
    /** Look through GRE, VXLAN and IP-in-IP: the inner packet fills the columns, the outer one `tunnel_*` (H11). */
    readonly decapsulate: boolean;
  };
}

export const WIRE_DEFAULTS: WireConfig = {
  templates: { max_per_exporter: 4096, max_total: 16_384, max_fields: 1000, max_age_seconds: 86_400 },
  parking: { max_bytes: 16 * 1024 * 1024, max_bytes_per_template: 1024 * 1024, max_age_seconds: 1800 },
  clock: { max_ahead_seconds: 300, max_behind_seconds: 86_400, max_lead_seconds: 366 * 86_400 },
  sflow: { decapsulate: false },
};

const count = (description: string) => ({ type: 'integer', minimum: 1, description }) as const;

/** JSON schema (draft-07) of {@link WireConfig}, as the key `wire` of ringflow.yml. */
export const WIRE_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'Decoding of NetFlow, IPFIX and sFlow',
  properties: {
    templates: {
      type: 'object',
      additionalProperties: false,
      description: 'Templates of NetFlow v9 and IPFIX',
      properties: {
        max_per_exporter: count('Templates kept per exporter address; the least recently used one goes first'),
        max_total: count('Templates kept over all exporters; the exporter that holds most gives one up'),
        max_fields: count('A template with more fields than this is refused'),
        max_age_seconds: count('A template that was neither announced nor used for this long is forgotten'),
      },
    },
    parking: {
      type: 'object',
      additionalProperties: false,
      description: 'Data that comes before its template',
      properties: {
        max_bytes: count('Bytes of data sets that wait for their template, over all exporters'),
        max_bytes_per_template: count('Bytes of data sets that wait for one template'),
        max_age_seconds: count('How long a data set waits for its template'),
      },
    },
    clock: {
      type: 'object',
      additionalProperties: false,
      description: 'Plausible flow times, seen from the export time of the datagram',
      properties: {
        max_ahead_seconds: count('A flow time further in the future than this is clamped and flagged'),
        max_behind_seconds: count('A flow time older than this is clamped and flagged'),
        max_lead_seconds: count(
          "An exporter's clock this far ahead of the collector's is wrong: the arrival time takes its place",
        ),
      },
    },
    sflow: {
      type: 'object',
      additionalProperties: false,
      description: 'sFlow and sampled packet headers',
      properties: {
        decapsulate: {
          type: 'boolean',
          description: 'Look through GRE, VXLAN and IP-in-IP: the inner packet fills the columns',
        },
      },
    },
  },
} as const;
