import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A socket as /proc/net shows it. */
export interface ProcSocket {
  readonly port: number;
  readonly inode: number;
}

/** TCP_LISTEN of include/net/tcp_states.h; UDP sockets that are not connected say 7. */
const LISTENING: Readonly<Record<'udp' | 'tcp', string>> = { udp: '07', tcp: '0A' };

/** Lines of /proc/net/{udp,tcp}[6] that listen. */
export function parseSockets(text: string, protocol: 'udp' | 'tcp'): ProcSocket[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      if (fields[3] !== LISTENING[protocol]) return [];
      return [{ port: Number.parseInt((fields[1] ?? '').split(':')[1] ?? '', 16), inode: Number(fields[9]) }];
    });
}

/** Sockets that listen on this machine, null where there is no /proc. */
export function listeningSockets(protocol: 'udp' | 'tcp'): ProcSocket[] | null {
  const texts = [read(`/proc/net/${protocol}`), read(`/proc/net/${protocol}6`)];
  if (texts.every((text) => text === null)) return null;
  return texts.flatMap((text) => (text === null ? [] : parseSockets(text, protocol)));
}

/** The process that holds a port: `softflowd (process 123)`; null when the system does not say (other users' need root). */
export function holderOf(protocol: 'udp' | 'tcp', port: number): string | null {
  const inodes = new Set(
    (listeningSockets(protocol) ?? []).filter((socket) => socket.port === port).map(({ inode }) => `socket:[${inode}]`),
  );
  if (inodes.size === 0) return null;
  for (const pid of list('/proc').filter((name) => /^[0-9]+$/.test(name))) {
    for (const fd of list(`/proc/${pid}/fd`)) {
      try {
        if (inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`))) return `${nameOf(pid)} (process ${pid})`;
      } catch {
        // Closed in the meantime.
      }
    }
  }
  return null;
}

/** For a program that another one interprets, the script says more than `node`. */
function nameOf(pid: string): string {
  const words = (read(`/proc/${pid}/cmdline`) ?? '').split('\0').filter((word) => word !== '');
  const name = (read(`/proc/${pid}/comm`) ?? '').trim() || 'a program';
  const script = /^(node|python[0-9.]*|perl|ruby|java|MainThread)$/.test(name)
    ? words.slice(1).find((word) => !word.startsWith('-'))
    : undefined;
  const text = script === undefined ? name : `${words[0]?.split('/').at(-1) ?? name} ${script.split('/').at(-1) ?? ''}`;
  // A process may call itself anything: nothing of it may steer the terminal.
  return text.replace(/\p{C}/gu, '').slice(0, 60);
}

/** `net.core.rmem_max` in bytes. */
export function receiveBufferLimit(): number | null {
  const text = read('/proc/sys/net/core/rmem_max');
  return text === null ? null : Number(text);
}

/** Gateways of the default routes in /proc/net/route, whose words are in the byte order of the machine. */
export function defaultGateways(text: string | null = read('/proc/net/route')): string[] {
  return (text ?? '')
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, destination, gateway] = line.split('\t');
      if (destination !== '00000000' || !/^[0-9A-F]{8}$/.test(gateway ?? '')) return [];
      return [[6, 4, 2, 0].map((at) => Number.parseInt((gateway as string).slice(at, at + 2), 16)).join('.')];
    });
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
