import { readFileSync } from 'node:fs';

/** What the kernel says about one of our sockets. */
export interface SocketDrops {
  readonly inode: number;
  readonly port: number;
  /** Datagrams dropped since the socket was opened. */
  readonly drops: number;
  /** Bytes that wait, with the kernel's own bookkeeping. */
  readonly queueBytes: number;
}

export interface KernelDrops {
  readonly sockets: readonly SocketDrops[];
  /** Datagrams that this host dropped for want of buffer since it was booted, all programs (RcvbufErrors). */
  readonly hostReceiveBufferErrors: number;
}

/**
 * Reads the kernel's drop counters (Q09): what is lost in this host, as opposed to on the wire. Empty where there is
 * no /proc.
 *
 * @param wanted our sockets; by inode, or by port where the inode is 0
 */
export function readKernelDrops(wanted: readonly { readonly inode: number; readonly port: number }[]): KernelDrops {
  const inodes = new Set(wanted.map(({ inode }) => inode).filter((inode) => inode !== 0));
  const ports = new Set(wanted.filter(({ inode }) => inode === 0).map(({ port }) => port));
  const sockets = [...readTable('/proc/net/udp'), ...readTable('/proc/net/udp6')].filter(
    ({ inode, port }) => inodes.has(inode) || ports.has(port),
  );
  return { sockets, hostReceiveBufferErrors: readSnmp() + readSnmp6() };
}

/** Columns of net/ipv4/udp.c `udp4_format_sock`; the local address ends in `:PORT`, the drops are the last one. */
function readTable(path: string): SocketDrops[] {
  return lines(path)
    .slice(1)
    .map((line) => {
      const fields = line.trim().split(/\s+/);
      return {
        port: Number.parseInt((fields[1] ?? '').split(':')[1] ?? '0', 16),
        queueBytes: Number.parseInt((fields[4] ?? '').split(':')[1] ?? '0', 16),
        inode: Number(fields[9] ?? 0),
        drops: Number(fields[12] ?? 0),
      };
    });
}

/** Two lines that begin with `Udp:`: names, then values. */
function readSnmp(): number {
  const [names, values] = lines('/proc/net/snmp').filter((line) => line.startsWith('Udp:'));
  const index = names?.split(' ').indexOf('RcvbufErrors') ?? -1;
  return index < 0 ? 0 : Number(values?.split(' ')[index] ?? 0);
}

function readSnmp6(): number {
  const line = lines('/proc/net/snmp6').find((text) => text.startsWith('Udp6RcvbufErrors'));
  return Number(line?.trim().split(/\s+/)[1] ?? 0);
}

function lines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}
