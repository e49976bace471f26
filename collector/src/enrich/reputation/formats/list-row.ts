import type { Prefix } from '@ringflow/contract';

/** What a list says about one network, address or AS. What it does not say comes from the list's configuration. */
export interface ListRow {
  /** A network, or an AS number. */
  readonly match: Prefix | number;
  /** Only traffic of this port; 0 or absent = all. */
  readonly port?: number;
  readonly labels?: readonly string[];
  /** In the words of the list. */
  readonly category?: string;
  /** 0 to 100. */
  readonly confidence?: number;
  /** Milliseconds since the epoch; 0 or absent = always. */
  readonly fromMs?: number;
  readonly untilMs?: number;
}

/** Takes what is found in a list. */
export interface ListSink {
  take(row: ListRow): void;
  /** Something that is understood, but that records cannot be matched on, or that no longer holds. */
  skip(): void;
  /** @param line from 1; 0 in formats without lines */
  broken(line: number, why: string): void;
}

/** What a list says about all of itself. */
export interface ListHeader {
  /** When it was made, milliseconds since the epoch; 0 = it does not say. */
  readonly dateMs: number;
  /** How many entries it says it has; -1 = it does not say. */
  readonly declared: number;
}

export const NO_HEADER: ListHeader = { dateMs: 0, declared: -1 };

export interface ListContext {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Content of the file that says what the numbers of an `iprep` list mean. */
  readonly categories: string;
}

/** Reads the text of a list. Throws when it is no such list, or only the beginning of one. */
export type ParseList = (text: string, sink: ListSink, context: ListContext) => ListHeader;
