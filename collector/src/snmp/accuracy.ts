/** What an interface's own counters say, from SNMP or from sFlow. */
export interface CounterSample {
  /** Text form of the exporter's address. */
  readonly exporter: string;
  /** ifIndex. */
  readonly index: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly inBytes: bigint;
  readonly outBytes: bigint;
}

/** Flow bytes of a window beside the bytes that the interface counted in it. */
export interface Accuracy {
  readonly exporter: string;
  readonly index: number;
  readonly direction: 'in' | 'out';
  readonly fromMs: number;
  readonly toMs: number;
  readonly flowBytes: number;
  readonly counterBytes: number;
}

export interface AccuracyDeps {
  /** Scaled bytes of the flows by ifIndex that went in or out in [fromMs, toMs). */
  readonly flowBytes: (
    exporter: string,
    direction: 'in' | 'out',
    fromMs: number,
    toMs: number,
  ) => Promise<ReadonlyMap<number, number>>;
  readonly onAccuracy: (accuracy: Accuracy) => void;
  readonly onError: (error: unknown) => void;
}

/** Compares flows with counters, one window after the other. */
export interface AccuracyMeter {
  note(samples: readonly CounterSample[]): void;
  /** Resolves when what is waiting has been compared. */
  settled(): Promise<void>;
}

/**
 * A window is compared when the one after it has ended: flows are exported after they end, and an active timeout of a
 * minute is common.
 */
const MIN_WINDOW_MS = 55_000;
/** Interfaces followed, and windows waiting for their query; beyond it new ones are left out. */
const MAX_INTERFACES = 20_000;
const MAX_WAITING = 2000;

interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  readonly inBytes: bigint;
  readonly outBytes: bigint;
}

interface Followed {
  last: CounterSample;
  /** The one before the window that is open. */
  ended: Window | null;
}

export function createAccuracyMeter(deps: AccuracyDeps): AccuracyMeter {
  const followed = new Map<string, Followed>();
  /** By exporter and window: SNMP reads all interfaces at once, so one query answers for all of them. */
  const waiting = new Map<string, { exporter: string; window: Window; interfaces: Map<number, Window> }>();
  let running: Promise<void> | null = null;

  function note(samples: readonly CounterSample[]): void {
    for (const sample of samples) {
      const key = `${sample.exporter} ${sample.index}`;
      const before = followed.get(key);
      if (!before) {
        if (followed.size < MAX_INTERFACES) followed.set(key, { last: sample, ended: null });
        continue;
      }
      if (sample.atMs - before.last.atMs < MIN_WINDOW_MS) continue;
      if (before.ended) enqueue(sample, before.ended);
      before.ended = windowOf(before.last, sample);
      before.last = sample;
    }
    if (waiting.size > 0) running ??= compareAll().finally(() => (running = null));
  }

  function enqueue({ exporter, index }: CounterSample, window: Window): void {
    const key = `${exporter} ${window.fromMs} ${window.toMs}`;
    const group = waiting.get(key) ?? { exporter, window, interfaces: new Map<number, Window>() };
    if (!waiting.has(key) && waiting.size >= MAX_WAITING) return;
    waiting.set(key, group);
    group.interfaces.set(index, window);
  }

  async function compareAll(): Promise<void> {
    for (const [key, { exporter, window, interfaces }] of waiting) {
      waiting.delete(key);
      try {
        for (const direction of ['in', 'out'] as const) {
          const flows = await deps.flowBytes(exporter, direction, window.fromMs, window.toMs);
          for (const [index, { fromMs, toMs, inBytes, outBytes }] of interfaces) {
            const counterBytes = Number(direction === 'in' ? inBytes : outBytes);
            deps.onAccuracy({
              exporter,
              index,
              direction,
              fromMs,
              toMs,
              counterBytes,
              flowBytes: flows.get(index) ?? 0,
            });
          }
        }
      } catch (error) {
        deps.onError(error);
      }
    }
  }

  return { note, settled: async () => (await running) ?? undefined };
}

/** Null when the counters began anew: an interface or its exporter restarted. */
function windowOf(from: CounterSample, to: CounterSample): Window | null {
  const inBytes = to.inBytes - from.inBytes;
  const outBytes = to.outBytes - from.outBytes;
  if (inBytes < 0n || outBytes < 0n) return null;
  return { fromMs: from.atMs, toMs: to.atMs, inBytes, outBytes };
}
