import { execFileSync } from 'node:child_process';

export { describeWith } from '../../../../e2e/testing/programs.ts';

/** Runs rrdtool; it is the judge of what our files mean. */
export function rrdtool(...args: string[]): string {
  return execFileSync('rrdtool', args, { encoding: 'utf8', env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' } });
}

/** Rows that `rrdtool fetch` answers, by the end of each row. */
export function fetchRows(
  file: string,
  cf: string,
  stepSeconds: number,
  fromSeconds: number,
  toSeconds: number,
): Map<number, number[]> {
  const text = rrdtool('fetch', file, cf, '-r', `${stepSeconds}`, '-s', `${fromSeconds}`, '-e', `${toSeconds}`);
  return new Map(
    [...text.matchAll(/^(\d+): (.+)$/gm)].map(([, end, values]) => [
      Number(end),
      (values as string)
        .trim()
        .split(/\s+/)
        .map((value) => (/nan/i.test(value) ? Number.NaN : Number(value))),
    ]),
  );
}
