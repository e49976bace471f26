/** Protocols with ports, by number. */
export const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, dccp: 33, sctp: 132, udplite: 136 };
const PORT_PROTOCOLS = Object.values(PROTOCOLS);

/** How well a port names a service. */
export const RANK = { none: 0, any: 1, registered: 2, own: 3 } as const;

/** What ports mean, for the rules that look at nothing else (semantics 5.2 rules 6 and 7, 5.5 rules 6 and 7). */
export interface PortRanks {
  /** By protocol: the number of its port 0 in `ranks`, -1 when it has no ports. */
  readonly first: Int32Array;
  /** A value of {@link RANK} per protocol and port, four to a byte: all of them stay in the processor's cache. */
  readonly ranks: Uint8Array;
}

/** @param first of the protocol, not -1 */
export function rankOf(ranks: Uint8Array, first: number, port: number): number {
  const number = first + port;
  return ((ranks[number >> 2] as number) >> ((number & 3) * 2)) & 3;
}

/**
 * @param isRegistered whether a port has a registered service (the IANA table)
 * @param ownPorts `tcp/8443`, `udp/5000-5010`
 * @throws RangeError for a port that is not written like that
 */
export function createPortRanks(
  isRegistered: (proto: number, port: number) => boolean,
  ownPorts: readonly string[],
): PortRanks {
  const first = new Int32Array(256).fill(-1);
  PORT_PROTOCOLS.forEach((proto, index) => (first[proto] = index * 65_536));
  const ranks = new Uint8Array((PORT_PROTOCOLS.length * 65_536) / 4);
  const put = (number: number, rank: number): void => {
    const shift = (number & 3) * 2;
    ranks[number >> 2] = ((ranks[number >> 2] as number) & ~(3 << shift)) | (rank << shift);
  };
  for (const proto of PORT_PROTOCOLS) {
    const base = first[proto] as number;
    // Port 0 is not a port: unknown, or a fragment.
    for (let port = 1; port < 65_536; port++) put(base + port, isRegistered(proto, port) ? RANK.registered : RANK.any);
  }
  for (const text of ownPorts) {
    const [proto, from, to] = parsePorts(text, 'enrich.service.ports');
    for (let port = from; port <= to; port++) put((first[proto] as number) + port, RANK.own);
  }
  return { first, ranks };
}

/**
 * @param key of the configuration, for the message
 * @throws RangeError for a port that is not written like `tcp/8443` or `udp/5000-5010`
 */
export function parsePorts(text: string, key: string): [proto: number, from: number, to: number] {
  const match = /^([a-z]+)\/(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const proto = match && Object.hasOwn(PROTOCOLS, match[1] as string) ? PROTOCOLS[match[1] as string] : undefined;
  const from = Number(match?.[2]);
  const to = Number(match?.[3] ?? match?.[2]);
  if (proto === undefined || !(from >= 1 && to >= from && to <= 65_535))
    throw new RangeError(`${key}: ${text} is not a port, write it like tcp/8443 or udp/5000-5010`);
  return [proto, from, to];
}
