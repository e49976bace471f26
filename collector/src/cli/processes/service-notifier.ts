import type { ServiceEnvironment } from '../../config/index.ts';

/** Tells the service manager how the service is (sd_notify(3)). */
export interface ServiceNotifier {
  /** Receiving, and the API answers; also after a reload. */
  ready(): void;
  /** A reload begins; {@link ready} ends it. */
  reloading(): void;
  stopping(): void;
  /** One line that `systemctl status` shows; sent when it is another than before. */
  status(text: string): void;
  /** Takes the socket away and stops the watchdog's signs of life. */
  close(): void;
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0x80000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** `sun_path` in `struct sockaddr_un`, unix(7). */
const MAX_PATH_BYTES = 108;

/** A notifier that says nothing: no service manager waits for it. */
const SILENT: ServiceNotifier = {
  ready: () => undefined,
  reloading: () => undefined,
  stopping: () => undefined,
  status: () => undefined,
  close: () => undefined,
};

/**
 * The notifier that the environment asks for; a silent one where there is no `NOTIFY_SOCKET`. The watchdog is fed as long
 * as the event loop turns.
 *
 * @param problem called when the manager's socket cannot be used; the service goes on without
 */
export async function createServiceNotifier(
  { notifySocket, watchdogUsec }: ServiceEnvironment,
  problem: (error: Error) => void,
): Promise<ServiceNotifier> {
  if (notifySocket === undefined || process.platform !== 'linux') return SILENT;
  let send: (text: string) => void;
  let close: () => void;
  try {
    ({ send, close } = await openSocket(notifySocket, problem));
  } catch (error) {
    problem(error as Error);
    return SILENT;
  }
  let last = '';
  // Half the time, as sd_watchdog_enabled(3) recommends.
  const watchdog =
    watchdogUsec === undefined ? null : setInterval(() => send('WATCHDOG=1'), Math.max(1, watchdogUsec / 2000));
  // A start that fails must end.
  watchdog?.unref();
  return {
    ready: () => send('READY=1'),
    // systemd compares the time with that of its own request; hrtime is CLOCK_MONOTONIC.
    reloading: () => send(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => send('STOPPING=1'),
    status: (text) => {
      if (text !== last) send(`STATUS=${text.replaceAll('\n', ' ')}`);
      last = text;
    },
    close: () => {
      if (watchdog) clearInterval(watchdog);
      close();
    },
  };
}

/** Node has no datagram sockets of the family AF_UNIX: the system calls are made through koffi. */
async function openSocket(
  path: string,
  problem: (error: Error) => void,
): Promise<{ send(text: string): void; close(): void }> {
  const address = socketAddress(path);
  const { default: koffi } = await import('koffi');
  const libc = koffi.load(null);
  const socket = libc.func('int socket(int, int, int)');
  const sendto = libc.func('intptr_t sendto(int, const void *, size_t, int, const void *, uint32_t)');
  const closeFd = libc.func('int close(int)');
  const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) as number;
  if (fd < 0) throw new Error(`the socket to the service manager cannot be opened (errno ${koffi.errno()})`);
  let failed = false;
  return {
    send: (text) => {
      const bytes = Buffer.from(text);
      const sent = sendto(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length) as number;
      if (sent < 0 && !failed) problem(new Error(`the service manager cannot be told (errno ${koffi.errno()})`));
      failed = sent < 0;
    },
    close: () => void closeFd(fd),
  };
}

/** `struct sockaddr_un`: family, path; an abstract name begins with a zero byte in place of the `@`. */
function socketAddress(path: string): Buffer {
  const isAbstract = path.startsWith('@');
  if (!isAbstract && !path.startsWith('/')) throw new Error(`NOTIFY_SOCKET=${path} is neither a path nor an @name`);
  const name = Buffer.from(isAbstract ? `\0${path.slice(1)}` : `${path}\0`);
  if (name.length > MAX_PATH_BYTES) throw new Error(`NOTIFY_SOCKET=${path} is too long`);
  // The family stands in the byte order of the machine.
  return Buffer.concat([Buffer.from(new Uint16Array([AF_UNIX]).buffer), name]);
}
