/** The hosts with the most traffic: CUFlow's Scoreboard and AggregateScore (semantics 2.5). */
export interface ScoreboardConfig {
  /** Hosts in each of the six lists of an interval. */
  readonly rows: number;
  /** Folder for a page of each interval, `YYYY-MM-DD/HH/HH:MM:SS.html` in UTC; empty = none is written. */
  readonly directory: string;
  /** File that always holds the newest page; empty = none. */
  readonly current: string;
  /** File with the page of the busiest hosts overall; empty = none. */
  readonly overall: string;
}

export const SCOREBOARD_DEFAULTS: ScoreboardConfig = { rows: 10, directory: '', current: '', overall: '' };

const file = (description: string) => ({ type: 'string', description }) as const;

/** JSON schema (draft-07) of {@link ScoreboardConfig}, as the key `scoreboard` of ringflow.yml. */
export const SCOREBOARD_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'The hosts with the most traffic of every five minutes, and overall',
  properties: {
    rows: { type: 'integer', minimum: 1, maximum: 100, description: 'Hosts in each of the six lists of an interval' },
    directory: file(
      'Folder for a page of each interval, YYYY-MM-DD/HH/HH:MM:SS.html in UTC; empty: none is written. Nothing is deleted there',
    ),
    current: file('File that always holds the page of the newest interval; empty: none'),
    overall: file('File with the page of the busiest hosts overall; empty: none'),
  },
} as const;
