import { addressBytes, parsePrefix, prefixContains, QUALITY, type Prefix } from '@ringflow/contract';
import { COLUMN_INDEX, useColumn, type Batch } from '../wire/index.ts';
import type { Step } from './step.ts';

interface Override {
  readonly prefix: Prefix;
  readonly rate: number;
}

/** Exporters whose override was looked up, kept; cleared when full. */
const MAX_LOOKED_UP = 65_536;

/**
 * Settles `sampling_rate`: the override of the exporter, else what the decoder found (record, options, header), else
 * the default; and flags rows whose rate stays unknown (semantics 5.7, S08).
 *
 * @throws RangeError for an override that is not a network
 */
export function createSamplingStep(defaultRate: number, overrides: Readonly<Record<string, number>>): Step {
  const table = Object.entries(overrides)
    .map(([text, rate]): Override => {
      const prefix = parsePrefix(text);
      if (!prefix)
        throw new RangeError(`enrich.sampling.override: ${text} is not a network, write it like 192.0.2.0/24`);
      return { prefix, rate };
    })
    .sort((a, b) => b.prefix.bits - a.prefix.bits);
  const lookedUp = new Map<string, number>();

  /** 0 = none. Called once per run of rows of one exporter. */
  function overrideOf(words: Uint32Array, at: number): number {
    const key = `${words[at]} ${words[at + 1]} ${words[at + 2]} ${words[at + 3]}`;
    let rate = lookedUp.get(key);
    if (rate === undefined) {
      const bytes = addressBytes(words, at);
      rate = table.find(({ prefix }) => prefixContains(prefix, bytes))?.rate ?? 0;
      if (lookedUp.size >= MAX_LOOKED_UP) lookedUp.clear();
      lookedUp.set(key, rate);
    }
    return rate;
  }

  function applyOverrides(batch: Batch, rates: Uint32Array, from: number, to: number): void {
    const exporters = batch.data[COLUMN_INDEX.sampler_address] as Uint32Array | null;
    if (!exporters) return;
    let rate = 0;
    for (let row = from; row < to; row++) {
      const at = row * 4;
      const asBefore =
        row > from &&
        exporters[at + 3] === exporters[at - 1] &&
        exporters[at + 2] === exporters[at - 2] &&
        exporters[at + 1] === exporters[at - 3] &&
        exporters[at] === exporters[at - 4];
      if (!asBefore) rate = overrideOf(exporters, at);
      if (rate !== 0) rates[row] = rate;
    }
  }

  return (batch, from, to) => {
    const rates = useColumn(batch, COLUMN_INDEX.sampling_rate) as Uint32Array;
    if (table.length > 0) applyOverrides(batch, rates, from, to);
    if (defaultRate !== 0) {
      for (let row = from; row < to; row++) if (rates[row] === 0) rates[row] = defaultRate;
      return;
    }
    let flags: Uint32Array | null = null;
    for (let row = from; row < to; row++) {
      if (rates[row] !== 0) continue;
      flags ??= useColumn(batch, COLUMN_INDEX.quality) as Uint32Array;
      flags[row] = (flags[row] as number) | QUALITY.sampling_unknown;
    }
  };
}
