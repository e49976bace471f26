/** A port that cannot be opened: which one, why, and what to change. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;
  readonly hint: string;

  constructor(message: string, code: string, hint: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
  }
}

const REASONS: Readonly<Record<string, { why: string; mend: string }>> = {
  EADDRINUSE: { why: 'it is taken by another program', mend: 'Stop that program' },
  EACCES: { why: 'this user may not open it', mend: 'Take a port above 1023' },
  EADDRNOTAVAIL: { why: 'this machine has no such address', mend: 'Name an address of this machine' },
};

/** Explains what the system said when a port was to be opened; other errors stay as they are. */
export function listenError(
  error: Error,
  port: { what: 'TCP' | 'UDP'; endpoint: string; key: string; variable: string },
): Error {
  const code =
    (error as NodeJS.ErrnoException).code ?? /\b(EADDRINUSE|EACCES|EADDRNOTAVAIL)\b/.exec(error.message)?.[1] ?? '';
  const reason = REASONS[code];
  if (!reason) return error;
  return new ListenError(
    `Cannot listen on ${port.what} ${port.endpoint}: ${reason.why}`,
    code,
    `${reason.mend}, or set ${port.key} in ringflow.yml (${port.variable}) to another one`,
    error,
  );
}
