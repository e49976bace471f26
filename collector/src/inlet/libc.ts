import koffi from 'koffi';

/**
 * The system calls of the receive path, through koffi (0.2 µs a call). Linux on 64-bit little-endian machines only:
 * the constants and structure layouts below are those of its kernel interface (include/uapi/linux/socket.h, in6.h).
 */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array): number;
  close(fd: number): number;
  /** `messages` is an array of `struct mmsghdr`; every buffer it points to must stay referenced by the caller. */
  recvmmsg(fd: number, messages: Uint8Array, count: number, flags: number, timeout: null): number;
  sendmmsg(fd: number, messages: Uint8Array, count: number, flags: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  errno(): number;
  /** Address of a buffer's bytes; valid as long as the buffer is referenced. */
  address(buffer: Uint8Array): bigint;
  /** Calls back whenever one of the descriptors becomes readable, by the event loop's own epoll. */
  pollReadable(fd: number, callback: () => void): { start(): void; stop(): void; close(): void };
}

export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0x800;
export const SOCK_CLOEXEC = 0x80000;
export const SOL_SOCKET = 1;
export const SO_RCVBUF = 8;
export const SO_SNDBUF = 7;
export const SO_RCVBUFFORCE = 33;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const EINTR = 4;
export const EAGAIN = 11;
export const EAFNOSUPPORT = 97;

/** `struct sockaddr_in6`: family, port, flow label, sixteen address bytes, scope. */
export const SOCKADDR_BYTES = 28;
/** `struct mmsghdr`: name 0, name length 8, vector 16, vector count 24, control 32, control length 40, flags 48, length 56. */
export const MMSGHDR_BYTES = 64;
export const MMSGHDR = { name: 0, nameLength: 8, vector: 16, vectorCount: 24, flags: 48, length: 56 } as const;
/** `struct iovec`: base 0, length 8. */
export const IOVEC_BYTES = 16;

/** Why these calls cannot be made here, or null. */
export function libcProblem(): string | null {
  if (process.platform !== 'linux') return `recvmmsg does not exist on ${process.platform}`;
  if (process.arch !== 'x64' && process.arch !== 'arm64') return `recvmmsg is not set up for ${process.arch}`;
  return null;
}

/** Binds the calls; throws where they do not exist. */
export function loadLibc(): Libc {
  const library = koffi.load(null);
  const bound = {
    socket: library.func('int socket(int, int, int)'),
    bind: library.func('int bind(int, const void *, uint32_t)'),
    getsockname: library.func('int getsockname(int, void *, void *)'),
    setsockopt: library.func('int setsockopt(int, int, int, const void *, uint32_t)'),
    getsockopt: library.func('int getsockopt(int, int, int, void *, void *)'),
    close: library.func('int close(int)'),
    recvmmsg: library.func('int recvmmsg(int, void *, uint32_t, int, void *)'),
    sendmmsg: library.func('int sendmmsg(int, void *, uint32_t, int)'),
    connect: library.func('int connect(int, const void *, uint32_t)'),
  };
  return {
    ...(bound as unknown as Omit<Libc, 'errno' | 'address' | 'pollReadable'>),
    errno: () => koffi.errno(),
    address: (buffer) => koffi.address(buffer) as bigint,
    pollReadable(fd, callback) {
      const handle = koffi.node.poll(fd, { readable: true }, callback);
      handle.stop();
      return {
        start: () => handle.start({ readable: true }, callback),
        stop: () => handle.stop(),
        close: () => handle.close(),
      };
    },
  };
}
