/** Names of TCP, UDP and SCTP ports, both ways, from the generated table of registered services. */
import { SERVICE_TABLE } from './services-table.ts';

const NAMES = new Map<number, string>();
const PORTS = new Map<string, (readonly [proto: number, port: number])[]>();

/** Names that people use beside the registered one. */
const ALIASES: Readonly<Record<string, string>> = {
  dns: 'domain',
  www: 'http',
  rdp: 'ms-wbt-server',
  smb: 'microsoft-ds',
  kerberos5: 'kerberos',
  postgres: 'postgresql',
  dhcp: 'bootps',
};

for (const { protocols, services } of SERVICE_TABLE) {
  const words = services.split(' ');
  let port = 0;
  for (let i = 0; i + 1 < words.length; i += 2) {
    const name = words[i] as string;
    port += Number(words[i + 1]);
    for (const proto of protocols) {
      NAMES.set(proto * 65_536 + port, name);
      PORTS.set(name, [...(PORTS.get(name) ?? []), [proto, port]]);
    }
  }
}

/** Registered name of a port (`https`), or null. */
export function serviceName(proto: number, port: number): string | null {
  return NAMES.get(proto * 65_536 + port) ?? null;
}

/** Protocol and port pairs that a name is registered for; lower case, a few common aliases (`dns`, `rdp`). */
export function servicePorts(name: string): readonly (readonly [proto: number, port: number])[] {
  const alias = Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined;
  return PORTS.get(name) ?? (alias === undefined ? [] : (PORTS.get(alias) ?? []));
}

/** Registered names, for completion. */
export function serviceNames(): readonly string[] {
  return [...PORTS.keys()];
}
