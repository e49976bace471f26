import { consolidate, type ArchiveOptions } from './consolidate.ts';
import type { DataSource } from './dump.ts';

/** A file to be: rates of successive steps, and the archives that are made of them. */
export interface RrdSeries {
  readonly stepSeconds: number;
  /** Start of the first step, a multiple of the step. */
  readonly startSeconds: number;
  readonly sources: readonly (DataSource & {
    /** Per second, one per step; NaN = unknown. All sources have as many. */
    readonly rates: readonly number[];
  })[];
  readonly archives: readonly (ArchiveOptions & { readonly rows: number })[];
}

/** Longest name of a data source, and the characters that it may have (rrdcreate(1)). */
const NAME_LENGTH = 19;

/** Names that RRDtool takes, all different: what it does not know becomes `_`, what is too long is cut. */
export function dataSourceNames(names: readonly string[]): string[] {
  const used = new Set<string>();
  return names.map((name) => {
    const plain = name.replace(/[^a-zA-Z0-9_]+/g, '_').replace(/^_+|_+$/g, '') || 'series';
    for (let number = 1; ; number++) {
      const tail = number === 1 ? '' : `_${number}`;
      const candidate = plain.slice(0, NAME_LENGTH - tail.length) + tail;
      if (used.has(candidate)) continue;
      used.add(candidate);
      return candidate;
    }
  });
}

/** The XML that `rrdtool restore` makes a file of, ready to be updated further. */
export function formatRrd({ stepSeconds, startSeconds, sources, archives }: RrdSeries): string {
  const count = sources[0]?.rates.length ?? 0;
  const firstStep = startSeconds / stepSeconds;
  const endSeconds = startSeconds + count * stepSeconds;
  const lines = [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<!DOCTYPE rrd SYSTEM "https://oss.oetiker.ch/rrdtool/rrdtool.dtd">',
    '<rrd>',
    '<version>0003</version>',
    `<step>${stepSeconds}</step>`,
    `<lastupdate>${endSeconds}</lastupdate>`,
  ];
  for (const { name, type, heartbeatSeconds, min, max } of sources) {
    lines.push(
      `<ds><name>${name}</name><type>${type}</type><minimal_heartbeat>${heartbeatSeconds}</minimal_heartbeat>`,
      `<min>${numberText(min)}</min><max>${numberText(max)}</max>`,
      '<last_ds>U</last_ds><value>0</value><unknown_sec>0</unknown_sec></ds>',
    );
  }
  for (const archive of archives) {
    const series = sources.map(({ rates }) => consolidate(rates, firstStep, stepSeconds, archive));
    lines.push(
      `<rra><cf>${archive.cf}</cf><pdp_per_row>${archive.steps}</pdp_per_row><params><xff>${numberText(archive.xff)}</xff></params>`,
      '<cdp_prep>',
      ...series.map(
        ({ rows, pending, pendingUnknown }) =>
          `<ds><primary_value>${numberText(rows.at(-1) ?? Number.NaN)}</primary_value><secondary_value>NaN</secondary_value><value>${numberText(pending)}</value><unknown_datapoints>${pendingUnknown}</unknown_datapoints></ds>`,
      ),
      '</cdp_prep><database>',
    );
    // All series have rows for the same times; what the archive has room for beyond them is unknown.
    const made = series[0]?.rows.length ?? 0;
    for (let row = made - archive.rows; row < made; row++)
      lines.push(`<row>${series.map(({ rows }) => `<v>${numberText(rows[row] ?? Number.NaN)}</v>`).join('')}</row>`);
    lines.push('</database></rra>');
  }
  return `${lines.join('\n')}\n</rrd>\n`;
}

function numberText(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value.toExponential(10);
}
