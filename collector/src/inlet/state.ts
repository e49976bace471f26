import type { NameEntry } from '@ringflow/contract';
import { createJournal, type JournalStatus } from './journal.ts';
import { nameKey } from './names.ts';

/** What the inlet remembers over a restart (T12), in one journal: the decoder's state and the exporters' names. */
export interface InletState {
  /** Reads what there is; null values of earlier changes are gone. */
  open(): { readonly decoder: readonly (readonly [string, unknown])[]; readonly names: readonly NameEntry[] };
  saveDecoder(changes: ReadonlyMap<string, unknown>): void;
  saveNames(updates: readonly NameEntry[], gone: readonly string[]): void;
  sync(): void;
  close(): void;
  status(): JournalStatus;
}

const DECODER = 'decoder/';
const NAME = 'name/';

/** Where what is kept is kept between changes. */
export interface InletStateOwners {
  decoder(): Iterable<readonly [string, unknown]>;
  names(): Iterable<NameEntry>;
}

/** @param path the journal's file, in the data directory */
export function createInletState(path: string, owners: InletStateOwners): InletState {
  const journal = createJournal(path, function* () {
    for (const [key, value] of owners.decoder()) yield [DECODER + key, value] as const;
    for (const entry of owners.names()) yield [NAME + nameKey(entry), entry] as const;
  });
  return {
    open() {
      const entries = [...journal.open()];
      return {
        decoder: entries
          .filter(([key]) => key.startsWith(DECODER))
          .map(([key, value]) => [key.slice(DECODER.length), value] as const),
        names: entries.filter(([key]) => key.startsWith(NAME)).map(([, value]) => value as NameEntry),
      };
    },
    saveDecoder: (changes) =>
      journal.append([...changes].map(([key, value]) => [DECODER + key, value ?? null] as const)),
    saveNames: (updates, gone) =>
      journal.append([
        ...gone.map((key) => [NAME + key, null] as const),
        ...updates.map((update) => [NAME + nameKey(update), update] as const),
      ]),
    sync: journal.sync,
    close: journal.close,
    status: journal.status,
  };
}
