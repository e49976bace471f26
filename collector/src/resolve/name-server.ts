import { Resolver } from 'node:dns/promises';
import { addressWords, formatAddress, isMappedIpv4, parseAddress } from '@ringflow/contract';

/** What the name servers say about an address. */
export interface ServerAnswer {
  readonly outcome: 'found' | 'none' | 'timeout' | 'failed';
  readonly names: readonly string[];
  /** One of the names leads back to the address; null when that was not asked for. */
  readonly confirmed: boolean | null;
  /** Code of the resolver, such as ESERVFAIL. */
  readonly code?: string;
}

/** Names of one address; a zone can hold any number. */
const MAX_NAMES = 10;
/** What a host name may be made of; a PTR record can hold anything, and ends on a page. */
const NAME = /^[A-Za-z0-9_.-]{1,253}$/;
const NO_NAME: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

/**
 * Asks name servers for PTR records, without looking at the hosts file of this machine.
 *
 * @param servers empty = those of the system
 * @param timeoutMs for one address
 * @throws RangeError when a server is no address
 */
export function createNameServer(servers: readonly string[], timeoutMs: number) {
  const resolver = new Resolver({ timeout: Math.ceil(timeoutMs / 2), tries: 2 });
  try {
    if (servers.length > 0) resolver.setServers(servers);
  } catch (error) {
    throw new RangeError(`resolve.servers: ${(error as Error).message}`, { cause: error });
  }

  async function namesOf(bytes: Uint8Array): Promise<ServerAnswer> {
    const names = await resolver.resolvePtr(reverseName(bytes));
    const usable = names.filter((name) => NAME.test(name)).slice(0, MAX_NAMES);
    return { outcome: usable.length > 0 ? 'found' : 'none', names: usable, confirmed: null };
  }

  /** True when a name has the address (forward-confirmed reverse DNS). */
  async function isConfirmed(bytes: Uint8Array, names: readonly string[]): Promise<boolean> {
    const wanted = formatAddress(addressWords(bytes), 0);
    for (const name of names) {
      const found = await (isMappedIpv4(bytes) ? resolver.resolve4(name) : resolver.resolve6(name)).catch(() => []);
      if (found.some((text) => sameAddress(text, wanted))) return true;
    }
    return false;
  }

  return {
    /** Never rejects. */
    ask: async (bytes: Uint8Array, confirm: boolean): Promise<ServerAnswer> => {
      let timer: NodeJS.Timeout | undefined;
      // What is known when the time is up: names may be there, and only their confirmation is late.
      let known: ServerAnswer = { outcome: 'timeout', names: [], confirmed: null, code: 'ETIMEOUT' };
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
      const asked = (async (): Promise<void> => {
        try {
          known = await namesOf(bytes);
          if (confirm) known = { ...known, confirmed: await isConfirmed(bytes, known.names) };
        } catch (error) {
          const code = String((error as { code?: unknown }).code ?? 'EUNKNOWN');
          if (NO_NAME.has(code)) known = { outcome: 'none', names: [], confirmed: confirm ? false : null };
          else known = { outcome: code === 'ETIMEOUT' ? 'timeout' : 'failed', names: [], confirmed: null, code };
        }
      })();
      await Promise.race([asked, late]);
      clearTimeout(timer);
      return known;
    },
    /** Gives up what is being asked. */
    cancel: () => resolver.cancel(),
  };
}

function sameAddress(text: string, wanted: string): boolean {
  const bytes = parseAddress(text);
  return bytes !== null && formatAddress(addressWords(bytes), 0) === wanted;
}

/** `4.3.2.1.in-addr.arpa` (RFC 1035 3.5), or the nibbles below `ip6.arpa` (RFC 3596 2.5). */
export function reverseName(bytes: Uint8Array): string {
  if (isMappedIpv4(bytes)) return `${[...bytes.subarray(12)].reverse().join('.')}.in-addr.arpa`;
  const nibbles = [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);
  return `${nibbles
    .reverse()
    .map((nibble) => nibble.toString(16))
    .join('.')}.ip6.arpa`;
}
