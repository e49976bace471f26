/** Bounds how often one cause is logged. */
export interface LogLimit {
  /** True when a line of this cause is to be written, false when it is left out and only counted. */
  admit(cause: string, level: number): boolean;
}

export interface LogLimitOptions {
  /** Lines of one cause that are written per window. */
  readonly lines: number;
  readonly windowMs: number;
  /** Called when a window closes in which `count` lines were left out. */
  leftOut(cause: string, level: number, count: number): void;
}

interface Window {
  written: number;
  leftOut: number;
}

/** Causes that are followed; what comes beyond is one cause. */
const MAX_CAUSES = 1000;
const OTHER_CAUSES = 'other causes';

/** What makes two lines the same cause: ids, counts and addresses differ from line to line. */
export function causeOf(message: string): string {
  return message.slice(0, 200).replace(/[0-9]+/g, '#');
}

/** A window opens with the first line of a cause and closes by itself. */
export function createLogLimit({ lines, windowMs, leftOut }: LogLimitOptions): LogLimit {
  const windows = new Map<string, Window>();

  function open(cause: string, level: number): Window {
    const window: Window = { written: 0, leftOut: 0 };
    windows.set(cause, window);
    setTimeout(() => {
      windows.delete(cause);
      if (window.leftOut > 0) leftOut(cause, level, window.leftOut);
    }, windowMs).unref();
    return window;
  }

  return {
    admit(cause, level) {
      const followed = windows.has(cause) || windows.size < MAX_CAUSES ? cause : OTHER_CAUSES;
      const window = windows.get(followed) ?? open(followed, level);
      if (window.written >= lines) {
        window.leftOut++;
        return false;
      }
      window.written++;
      return true;
    },
  };
}
