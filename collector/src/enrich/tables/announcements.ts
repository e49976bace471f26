import type { NameEntry } from '@ringflow/contract';

/** A name as it is told: of an id that means the same everywhere. */
export type Announced = Pick<NameEntry, 'kind' | 'name' | 'attributes'> & {
  readonly id: number;
  readonly description?: string;
};

/** Ids that have gone into rows, so that each name is told once. */
export interface Announcements {
  /** True the first time since {@link Announcements.forget} that an id is asked about. */
  isNew(id: number): boolean;
  tell(entry: Announced): void;
  /** What was told since the last call. */
  take(): NameEntry[];
  /** Names may have changed: all are told again when they are used again. */
  forget(): void;
}

/** Ids below this have a bit each: all AS numbers that are in use today. */
const BITS = 2 ** 20;
/** Larger ids that are remembered; when they are too many, some names are told twice. */
const MAX_IDS = 262_144;

/** Allocates only for ids that are new. */
export function createAnnouncements(): Announcements {
  const bits = new Uint32Array(BITS / 32);
  const others = new Set<number>();
  let told: NameEntry[] = [];
  return {
    isNew: (id) => {
      if (id < BITS) {
        const word = bits[id >>> 5] as number;
        const bit = 1 << (id & 31);
        if ((word & bit) !== 0) return false;
        bits[id >>> 5] = word | bit;
        return true;
      }
      if (others.has(id)) return false;
      if (others.size >= MAX_IDS) others.clear();
      others.add(id);
      return true;
    },
    tell: ({ id, ...entry }) => {
      told.push({ description: '', ...entry, id: String(id), exporter: '', speedBps: 0, source: 'enrich' });
    },
    take: () => {
      const taken = told;
      told = [];
      return taken;
    },
    forget: () => {
      bits.fill(0);
      others.clear();
    },
  };
}
