import { formatRange, type NumberRange, type PortRange } from './statements.ts';

/** A label as the name of a series on /metrics. */
export function seriesName(label: string): string {
  return label.replace(/[^a-zA-Z0-9_.-]/g, '_').slice(0, 64);
}

/** Conditions on ports of either side: `(proto = 6 and port in (20-21))`. */
export function portsFilter(ports: readonly PortRange[], field = 'port'): string {
  const byProto = new Map<number, NumberRange[]>();
  for (const { proto, from, to } of ports) byProto.set(proto, [...(byProto.get(proto) ?? []), [from, to]]);
  const parts = [...byProto].map(
    ([proto, ranges]) => `(proto = ${proto} and ${field} in (${ranges.map(formatRange).join(', ')}))`,
  );
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(' or ')})`;
}

/** CUFlow's multicast: any destination in 224.0.0.0/4. */
export const MULTICAST = 'dst_addr in 224.0.0.0/4';

/** Conditions on the ToS byte. */
export function tosFilter({ ranges }: { readonly ranges: readonly NumberRange[] }): string {
  return `ip_tos in (${ranges.map(formatRange).join(', ')})`;
}
