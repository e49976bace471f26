import type { Rrd } from './dump.ts';

/** A stretch of time, and the archive that answers it. */
export interface Stretch {
  /** Index in {@link Rrd.archives}. */
  readonly archive: number;
  /** Length of its rows. */
  readonly rowSeconds: number;
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

/**
 * The finest archive of a function for each time, oldest first. Stretches adjoin at ends of rows of the coarser one, so
 * no row is cut; what begins in the middle of a coarser row is left to that.
 */
export function coverOf(rrd: Rrd, cf: string): Stretch[] {
  const archives = rrd.archives
    .map(({ cf: of, steps, rows, endSeconds }, archive) => ({
      archive,
      of,
      rowSeconds: steps * rrd.stepSeconds,
      fromSeconds: endSeconds - rows.length * steps * rrd.stepSeconds,
      toSeconds: endSeconds,
    }))
    .filter(({ of, fromSeconds, toSeconds }) => of === cf && fromSeconds < toSeconds)
    .sort((a, b) => a.rowSeconds - b.rowSeconds || a.fromSeconds - b.fromSeconds);
  const stretches: Stretch[] = [];
  for (const { archive, rowSeconds, fromSeconds, toSeconds } of archives) {
    const next = stretches[0];
    if (!next) {
      stretches.unshift({ archive, rowSeconds, fromSeconds, toSeconds });
      continue;
    }
    const seam = Math.min(Math.ceil(next.fromSeconds / rowSeconds) * rowSeconds, toSeconds);
    if (fromSeconds >= seam || seam > next.toSeconds) continue;
    if (seam >= next.fromSeconds) stretches[0] = { ...next, fromSeconds: seam };
    stretches.unshift({ archive, rowSeconds, fromSeconds, toSeconds: seam });
  }
  return stretches.filter((one) => one.fromSeconds < one.toSeconds);
}

/** Calls back for each row of a stretch with the values of the data sources. */
export function forEachRow(
  rrd: Rrd,
  { archive, rowSeconds, fromSeconds, toSeconds }: Stretch,
  visit: (fromSeconds: number, values: readonly number[]) => void,
): void {
  const { rows, endSeconds } = rrd.archives[archive] as Rrd['archives'][number];
  const first = endSeconds - rows.length * rowSeconds;
  for (let at = fromSeconds; at < toSeconds; at += rowSeconds)
    visit(at, rows[Math.round((at - first) / rowSeconds)] as readonly number[]);
}
