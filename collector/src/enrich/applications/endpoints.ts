import { addressWords, parseAddress } from '@ringflow/contract';
import { PROTOCOLS } from './service.ts';

/** Services that the user knows by address, port and protocol. */
export interface Endpoints {
  /** Number of the entry in the order of the configuration, from 1; 0 = none. */
  find(words: Int32Array, at: number, port: number, proto: number): number;
  /** Names by number; the first one is empty. */
  readonly names: readonly string[];
}

/**
 * @param config `192.0.2.10:8443/tcp` or `[2001:db8::1]:53/udp` → name
 * @throws RangeError for a key that is not written like that
 */
export function createEndpoints(config: Readonly<Record<string, string>>): Endpoints {
  const entries = Object.keys(config).map(parseEndpoint);
  const count = entries.length;
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, count) * 4));
  const table = new Uint32Array(size);
  const words = new Int32Array((count + 1) * 4);
  const services = new Uint32Array(count + 1);
  /** One bit per port: most records need no look-up. */
  const ports = new Uint8Array(8192);
  entries.forEach((entry, index) => {
    const number = index + 1;
    words.set(entry.words, number * 4);
    services[number] = entry.service;
    const port = entry.service & 0xffff;
    ports[port >> 3] = (ports[port >> 3] as number) | (1 << (port & 7));
    let place = homeOf(words, number * 4, entry.service);
    while (table[place] !== 0) place = (place + 1) & (size - 1);
    table[place] = number;
  });

  function homeOf(from: Int32Array, at: number, service: number): number {
    let hash = service;
    for (let i = 0; i < 4; i++) {
      hash = Math.imul(hash ^ (from[at + i] as number), 0x85eb_ca6b);
      hash ^= hash >>> 15;
    }
    return (hash >>> 0) & (size - 1);
  }

  return {
    find(from, at, port, proto) {
      if (((ports[port >> 3] as number) & (1 << (port & 7))) === 0) return 0;
      const service = proto * 65_536 + port;
      for (let place = homeOf(from, at, service); ; place = (place + 1) & (size - 1)) {
        const number = table[place] as number;
        if (number === 0) return 0;
        const own = number * 4;
        if (
          services[number] === service &&
          words[own + 3] === from[at + 3] &&
          words[own + 2] === from[at + 2] &&
          words[own + 1] === from[at + 1] &&
          words[own] === from[at]
        )
          return number;
      }
    },
    names: ['', ...Object.values(config)],
  };
}

function parseEndpoint(text: string): { words: Uint32Array; service: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([0-9]{1,5})\/([a-z]+)$/.exec(text);
  const address = match && parseAddress((match[1] ?? match[2]) as string);
  const port = Number(match?.[3]);
  const proto = Object.hasOwn(PROTOCOLS, match?.[4] ?? '') ? PROTOCOLS[match?.[4] as string] : undefined;
  if (!address || proto === undefined || !(port >= 1 && port <= 65_535))
    throw new RangeError(
      `enrich.endpoints: ${text} is not an endpoint, write it like 192.0.2.10:8443/tcp or [2001:db8::1]:53/udp`,
    );
  return { words: addressWords(address), service: proto * 65_536 + port };
}
