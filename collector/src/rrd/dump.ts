import { parser as createParser } from 'sax';

/** A data source of an RRD. */
export interface DataSource {
  readonly name: string;
  /** `GAUGE`, `COUNTER`, `DERIVE`, `ABSOLUTE` … */
  readonly type: string;
  readonly heartbeatSeconds: number;
  readonly min: number;
  readonly max: number;
}

/** A round-robin archive of an RRD. */
export interface Archive {
  /** `AVERAGE`, `MAX` … */
  readonly cf: string;
  /** Steps of a row. */
  readonly steps: number;
  readonly xff: number;
  /** Oldest first; of each the values of the data sources in their order, NaN = unknown. */
  readonly rows: readonly (readonly number[])[];
  /** Seconds since the epoch of the end of the last row. */
  readonly endSeconds: number;
}

/** What `rrdtool dump` says about a file. */
export interface Rrd {
  readonly stepSeconds: number;
  readonly lastUpdateSeconds: number;
  readonly sources: readonly DataSource[];
  readonly archives: readonly Archive[];
}

/** Text that is no dump of an RRD. */
export class RrdError extends Error {
  override readonly name = 'RrdError';
}

interface Draft {
  cf: string;
  steps: number;
  xff: number;
  rows: number[][];
}

/** Reads a dump while it comes: files of years are megabytes of text. */
export interface DumpReader {
  /** @throws RrdError */
  write(text: string): void;
  /** @throws RrdError when it was not a whole dump */
  end(): Rrd;
}

/** Reads the XML of `rrdtool dump` (rrdtool 1.0 to 1.9). */
export function createDumpReader(): DumpReader {
  const path: string[] = [];
  const sources: { name: string; type: string; heartbeat: number; min: number; max: number }[] = [];
  const archives: Draft[] = [];
  let step = 0;
  let lastUpdate = 0;
  let text = '';
  let closed = false;
  const sax = createParser(true, { trim: false });
  sax.onerror = (error) => {
    throw new RrdError(`Not the XML of rrdtool dump: ${error.message.split('\n')[0]}`);
  };
  sax.onopentag = ({ name }) => {
    path.push(name);
    text = '';
    const here = path.join('/');
    if (here === 'rrd/ds') sources.push({ name: '', type: '', heartbeat: 0, min: Number.NaN, max: Number.NaN });
    else if (here === 'rrd/rra') archives.push({ cf: '', steps: 1, xff: Number.NaN, rows: [] });
    else if (here === 'rrd/rra/database/row') archives.at(-1)?.rows.push([]);
  };
  sax.ontext = (part) => void (text += part);
  sax.onclosetag = (name) => {
    const value = text.trim();
    const source = sources.at(-1);
    const archive = archives.at(-1);
    switch (path.join('/')) {
      case 'rrd/step':
        step = Number(value);
        break;
      case 'rrd/lastupdate':
        lastUpdate = Number(value);
        break;
      case 'rrd/ds/name':
        if (source) source.name = value;
        break;
      case 'rrd/ds/type':
        if (source) source.type = value;
        break;
      case 'rrd/ds/minimal_heartbeat':
        if (source) source.heartbeat = Number(value);
        break;
      case 'rrd/ds/min':
        if (source) source.min = numberOf(value);
        break;
      case 'rrd/ds/max':
        if (source) source.max = numberOf(value);
        break;
      case 'rrd/rra/cf':
        if (archive) archive.cf = value;
        break;
      case 'rrd/rra/pdp_per_row':
        if (archive) archive.steps = Number(value);
        break;
      // Before 1.2 it was not inside params.
      case 'rrd/rra/xff':
      case 'rrd/rra/params/xff':
        if (archive) archive.xff = numberOf(value);
        break;
      case 'rrd/rra/database/row/v':
        archive?.rows.at(-1)?.push(numberOf(value));
        break;
      case 'rrd':
        closed = true;
        break;
      default:
        break;
    }
    path.pop();
    text = '';
    void name;
  };

  function end(): Rrd {
    sax.close();
    if (!closed || !(step > 0) || !(lastUpdate > 0) || sources.length === 0)
      throw new RrdError('Not a whole dump: step, lastupdate or data sources are missing');
    for (const { cf, steps, rows } of archives) {
      if (!Number.isInteger(steps) || steps < 1) throw new RrdError(`An archive ${cf} has ${steps} steps a row`);
      const odd = rows.find((row) => row.length !== sources.length);
      if (odd) throw new RrdError(`A row has ${odd.length} values, there are ${sources.length} data sources`);
    }
    return {
      stepSeconds: step,
      lastUpdateSeconds: lastUpdate,
      sources: sources.map(({ heartbeat, ...source }) => ({ ...source, heartbeatSeconds: heartbeat })),
      archives: archives.map((archive) => ({
        ...archive,
        endSeconds: lastUpdate - (lastUpdate % (step * archive.steps)),
      })),
    };
  }

  return { write: (part) => void sax.write(part), end };
}

/** `NaN` and `U` are unknown; so is what is no number. */
function numberOf(text: string): number {
  return text === '' ? Number.NaN : Number(text);
}
