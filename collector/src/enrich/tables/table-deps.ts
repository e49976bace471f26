import type { LoadTable } from './table-worker.ts';
import type { FileStatus } from './watched-file.ts';

/** What whoever looks things up in files needs from outside. */
export interface TableDeps {
  readonly loadTable: LoadTable;
  /** What is known about addresses has changed: what was looked up before no longer holds. */
  readonly changed: () => void;
  readonly fileLoaded: (status: FileStatus) => void;
  readonly fileFailed: (error: Error, status: FileStatus) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
