/**
 * RRDtool's consolidation (rrdcreate(1), rrd_update.c) over sums instead of rates: a slot keeps what was counted in it
 * and how many of its seconds that covers, so 0 and unknown differ and nothing is lost to rounding.
 */

/** What is known of one step. */
export interface Slot {
  /** Counted in the seconds that are known. */
  readonly sum: number;
  readonly knownSeconds: number;
}

export interface StepOptions {
  /** The moment before which nothing is known ("last update" of a new file). */
  readonly startSeconds: number;
  readonly stepSeconds: number;
  /** An update that comes later than this after the one before says nothing about the time between. */
  readonly heartbeatSeconds: number;
}

/** Steps that are filled by updates of type ABSOLUTE: a value is what was counted since the update before. */
export interface Steps {
  /**
   * Books what was counted since the last update; null = nobody counted.
   *
   * @throws RangeError when the time is not later than the last one (case F of the golden vectors)
   */
  update(atSeconds: number, value: number | null): void;
  /** Complete steps from the one that holds `startSeconds` on. */
  slots(): Slot[];
}

/** Steps as `rrdtool update` fills them (docs/how-to/cuflow.md names what differs). */
export function createSteps({ startSeconds, stepSeconds, heartbeatSeconds }: StepOptions): Steps {
  const first = Math.floor(startSeconds / stepSeconds);
  const slots: { sum: number; knownSeconds: number }[] = [];
  let lastSeconds = startSeconds;

  function update(atSeconds: number, value: number | null): void {
    if (atSeconds <= lastSeconds)
      throw new RangeError(
        `illegal attempt to update using time ${atSeconds} when last update time is ${lastSeconds} (minimum one second step)`,
      );
    const lengthSeconds = atSeconds - lastSeconds;
    const known = value !== null && lengthSeconds <= heartbeatSeconds;
    for (let at = lastSeconds; at < atSeconds;) {
      const index = Math.floor(at / stepSeconds);
      const until = Math.min(atSeconds, (index + 1) * stepSeconds);
      const slot = (slots[index - first] ??= { sum: 0, knownSeconds: 0 });
      if (known) {
        slot.sum += (value * (until - at)) / lengthSeconds;
        slot.knownSeconds += until - at;
      }
      at = until;
    }
    lastSeconds = atSeconds;
  }

  return {
    update,
    slots: () => slots.slice(0, Math.floor(lastSeconds / stepSeconds) - first).map((slot) => ({ ...slot })),
  };
}

/** Per second, the average over the known seconds; NaN when more than half of the step is unknown. */
export function rateOf({ sum, knownSeconds }: Slot, stepSeconds: number): number {
  return stepSeconds - knownSeconds > stepSeconds / 2 || knownSeconds === 0 ? Number.NaN : sum / knownSeconds;
}

/** Consolidation functions of an archive that are kept here. */
export type Consolidation = 'AVERAGE' | 'MAX';

export interface ArchiveOptions {
  readonly cf: Consolidation;
  /** Steps of a row. */
  readonly steps: number;
  /** Share of a row's steps that may be unknown (`xfiles factor`). */
  readonly xff: number;
}

/** An archive over a series of rates. */
export interface Consolidated {
  /** Complete rows; NaN = unknown. */
  readonly rows: readonly number[];
  /** Seconds since the epoch of the end of the last row. */
  readonly endSeconds: number;
  /** The row that is not complete: what its known steps come to (AVERAGE: their sum), NaN when none is known. */
  readonly pending: number;
  readonly pendingUnknown: number;
}

/**
 * Consolidates rates of single steps into rows, aligned to multiples of the row's length since the epoch (so a row of
 * a day is a UTC day). Steps of the first row that lie before the series are unknown.
 *
 * @param rates of successive steps, per second; NaN = unknown
 * @param firstStep number of the first one: its start divided by `stepSeconds`
 */
export function consolidate(
  rates: readonly number[],
  firstStep: number,
  stepSeconds: number,
  { cf, steps, xff }: ArchiveOptions,
): Consolidated {
  const rows: number[] = [];
  let unknown = firstStep % steps;
  let value = Number.NaN;
  rates.forEach((rate, index) => {
    if (Number.isNaN(rate)) unknown++;
    else if (cf === 'AVERAGE') value = (Number.isNaN(value) ? 0 : value) + rate;
    else value = Number.isNaN(value) ? rate : Math.max(value, rate);
    if ((firstStep + index + 1) % steps !== 0) return;
    const isUnknown = unknown > steps * xff || unknown === steps;
    rows.push(isUnknown ? Number.NaN : cf === 'AVERAGE' ? value / (steps - unknown) : value);
    unknown = 0;
    value = Number.NaN;
  });
  const lastStep = firstStep + rates.length;
  return {
    rows,
    endSeconds: Math.floor(lastStep / steps) * steps * stepSeconds,
    pending: value,
    pendingUnknown: unknown,
  };
}
