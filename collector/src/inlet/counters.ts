import type { CountersRecord } from '../wire/index.ts';

/** What an interface counted since it began, as sFlow's counter samples say. */
export interface InterfaceCounters {
  /** Text form of the agent's address. */
  readonly exporter: string;
  /** ifIndex. */
  readonly index: number;
  /** Arrival of the sample, milliseconds since the epoch. */
  readonly atMs: number;
  readonly inBytes: bigint;
  readonly outBytes: bigint;
}

/** The latest counters of each interface, until somebody takes them. */
export interface CounterNotes {
  note(record: CountersRecord): void;
  take(): InterfaceCounters[];
}

/** Interfaces between two takes; a flood of them is no reason to take memory. */
const MAX_NOTES = 10_000;

export function createCounterNotes(now: () => number): CounterNotes {
  let latest = new Map<string, InterfaceCounters>();
  return {
    note({ agent, enterprise, values }) {
      const { ifIndex, ifInOctets, ifOutOctets } = values;
      if (enterprise !== 0 || ifIndex === undefined || ifInOctets === undefined || ifOutOctets === undefined) return;
      const key = `${agent} ${String(ifIndex)}`;
      if (!latest.has(key) && latest.size >= MAX_NOTES) return;
      latest.set(key, {
        exporter: agent,
        index: Number(ifIndex),
        atMs: now(),
        inBytes: BigInt(ifInOctets),
        outBytes: BigInt(ifOutOctets),
      });
    },
    take() {
      const taken = [...latest.values()];
      if (taken.length > 0) latest = new Map();
      return taken;
    },
  };
}
