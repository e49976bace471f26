import { createJournal, type JournalStatus } from './journal.ts';
import { nameKey, type NameUpdate } from './names.ts';

/** What the inlet remembers over a restart (T12), in one journal: the decoder's state and the exporters' names. */
export interface InletState {
  /** Reads what there is; null values of earlier changes are gone. */
  open(): { readonly decoder: readonly (readonly [string, unknown])[]; readonly names: readonly NameUpdate[] };
  saveDecoder(changes: ReadonlyMap<string, unknown>): void;
  saveNames(updates: readonly NameUpdate[]): void;
  sync(): void;
  close(): void;
  status(): JournalStatus;
}

const DECODER = 'decoder/';
const NAME = 'name/';

/** @param path the journal's file, in the data directory */
export function createInletState(path: string): InletState {
  const journal = createJournal(path);
  return {
    open() {
      const entries = [...journal.open()];
      return {
        decoder: entries
          .filter(([key]) => key.startsWith(DECODER))
          .map(([key, value]) => [key.slice(DECODER.length), value] as const),
        names: entries.filter(([key]) => key.startsWith(NAME)).map(([, value]) => value as NameUpdate),
      };
    },
    saveDecoder: (changes) =>
      journal.append([...changes].map(([key, value]) => [DECODER + key, value ?? null] as const)),
    saveNames: (updates) => journal.append(updates.map((update) => [NAME + nameKey(update), update] as const)),
    sync: journal.sync,
    close: journal.close,
    status: journal.status,
  };
}
