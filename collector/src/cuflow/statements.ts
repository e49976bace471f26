import { formatProtocol } from '@ringflow/contract';

/** Ports of a protocol, `from` to `to`, both included. */
export interface PortRange {
  /** IP protocol number. */
  readonly proto: number;
  readonly from: number;
  readonly to: number;
}

/** Values `from` to `to`, both included. */
export type NumberRange = readonly [from: number, to: number];

/** One statement of CUFlow.cf (CUFlow.pm 1.55, `parseConfig`), values resolved to numbers. */
export type Statement =
  | { readonly kind: 'subnet'; readonly prefix: string }
  | { readonly kind: 'network'; readonly prefixes: readonly string[]; readonly label: string }
  | { readonly kind: 'router'; readonly address: string; readonly alias: string }
  | { readonly kind: 'samplerate'; readonly address: string; readonly rate: number }
  | { readonly kind: 'service'; readonly ports: readonly PortRange[]; readonly label: string }
  | { readonly kind: 'asnumber'; readonly ranges: readonly NumberRange[]; readonly label: string }
  | { readonly kind: 'protocol'; readonly proto: number; readonly alias: string }
  | { readonly kind: 'tos'; readonly ranges: readonly NumberRange[]; readonly label: string }
  | { readonly kind: 'multicast' }
  | { readonly kind: 'outputdir'; readonly path: string }
  | { readonly kind: 'scoreboard'; readonly rows: number; readonly directory: string; readonly current: string }
  | { readonly kind: 'aggregate'; readonly rows: number; readonly file: string; readonly output: string };

/** A statement and where it stands, 1-based. */
export type Placed = Statement & { readonly line: number };

/** `7` or `7-9`. */
export function formatRange([from, to]: NumberRange): string {
  return from === to ? String(from) : `${from}-${to}`;
}

/** The text of statements as CUFlow.pm reads it; AS ranges, which it does not know, are written as ranges. */
export function formatStatements(statements: readonly Statement[]): string {
  return statements.map((statement) => `${formatStatement(statement)}\n`).join('');
}

function formatStatement(statement: Statement): string {
  switch (statement.kind) {
    case 'subnet':
      return `Subnet ${statement.prefix}`;
    case 'network':
      return `Network ${statement.prefixes.join(',')} ${statement.label}`;
    case 'router':
      return `Router ${statement.address}${statement.alias === statement.address ? '' : ` ${statement.alias}`}`;
    case 'samplerate':
      return `SampleRate ${statement.address} ${statement.rate}`;
    case 'service':
      return `Service ${statement.ports.map(formatPorts).join(',')} ${statement.label}`;
    case 'asnumber':
      return `ASNumber ${statement.ranges.map(formatRange).join(',')} ${statement.label}`;
    case 'protocol':
      return `Protocol ${statement.proto}${statement.alias === String(statement.proto) ? '' : ` ${statement.alias}`}`;
    case 'tos':
      return `TOS ${statement.ranges.map(formatRange).join(',')} ${statement.label}`;
    case 'multicast':
      return 'Multicast';
    case 'outputdir':
      return `OutputDir ${statement.path}`;
    case 'scoreboard':
      return `Scoreboard ${statement.rows} ${statement.directory} ${statement.current}`;
    case 'aggregate':
      return `AggregateScore ${statement.rows} ${statement.file} ${statement.output}`;
  }
}

/** `20-21/tcp`; protocols without a name of one word by number. */
function formatPorts({ proto, from, to }: PortRange): string {
  const name = formatProtocol(proto).toLowerCase();
  return `${formatRange([from, to])}/${/^[a-z]+$/.test(name) ? name : proto}`;
}
