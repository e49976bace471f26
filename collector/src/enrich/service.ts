import { COLUMN_INDEX, useColumn, type Batch } from '../wire/index.ts';
import type { Step } from './step.ts';

/** Protocols with ports, by number. */
const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, dccp: 33, sctp: 132, udplite: 136 };
const PORT_PROTOCOLS = Object.values(PROTOCOLS);

/** How well a port names a service; the higher side wins, at a tie the lower port. */
const RANK_NONE = 0;
const RANK_ANY = 1;
const RANK_REGISTERED = 2;
const RANK_OWN = 3;

/**
 * Fills `service` with protocol × 65,536 + the serving side's port; the protocol alone where it has no ports
 * (semantics 5.2 rules 6 and 7, applied to the ports only).
 *
 * @param isRegistered whether a port has a registered service (the IANA table)
 * @param ownPorts `tcp/8443`, `udp/5000-5010`
 * @throws RangeError for a port that is not written like that
 */
export function createServiceStep(
  isRegistered: (proto: number, port: number) => boolean,
  ownPorts: readonly string[],
): Step {
  // Per protocol number: index of its rank table, 255 = no ports.
  const tableOf = new Uint8Array(256).fill(255);
  PORT_PROTOCOLS.forEach((proto, index) => (tableOf[proto] = index));
  const ranks = new Uint8Array(PORT_PROTOCOLS.length * 65_536);
  PORT_PROTOCOLS.forEach((proto, index) => {
    for (let port = 1; port < 65_536; port++) {
      ranks[index * 65_536 + port] = isRegistered(proto, port) ? RANK_REGISTERED : RANK_ANY;
    }
    // Not a port: unknown, or a fragment.
    ranks[index * 65_536] = RANK_NONE;
  });
  for (const text of ownPorts) {
    const [proto, from, to] = parsePorts(text);
    const base = (tableOf[proto] as number) * 65_536;
    ranks.fill(RANK_OWN, base + from, base + to + 1);
  }

  return (batch: Batch, from: number, to: number): void => {
    const protos = batch.data[COLUMN_INDEX.proto] as Uint8Array | null;
    if (!protos || batch.used[COLUMN_INDEX.proto] === 0) return;
    const services = useColumn(batch, COLUMN_INDEX.service) as Uint32Array;
    const sources = batch.data[COLUMN_INDEX.src_port] as Uint16Array | null;
    const destinations = batch.data[COLUMN_INDEX.dst_port] as Uint16Array | null;
    if (!sources || !destinations) {
      for (let row = from; row < to; row++) {
        const proto = protos[row] as number;
        const port = tableOf[proto] === 255 ? 0 : ((sources ?? destinations)?.[row] ?? 0);
        services[row] = (proto << 16) | port;
      }
      return;
    }
    for (let row = from; row < to; row++) {
      const proto = protos[row] as number;
      const table = tableOf[proto] as number;
      let port = 0;
      if (table !== 255) {
        const source = sources[row] as number;
        const destination = destinations[row] as number;
        const lead = (ranks[table * 65_536 + source] as number) - (ranks[table * 65_536 + destination] as number);
        if (lead === 0) port = source < destination ? source : destination;
        else port = lead > 0 ? source : destination;
      }
      services[row] = (proto << 16) | port;
    }
  };
}

function parsePorts(text: string): [proto: number, from: number, to: number] {
  const match = /^([a-z]+)\/(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const proto = match ? PROTOCOLS[match[1] as string] : undefined;
  const from = Number(match?.[2]);
  const to = Number(match?.[3] ?? match?.[2]);
  if (proto === undefined || !(from >= 1 && to >= from && to <= 65_535)) {
    throw new RangeError(`enrich.service.ports: ${text} is not a port, write it like tcp/8443 or udp/5000-5010`);
  }
  return [proto, from, to];
}
