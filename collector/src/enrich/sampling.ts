import { addressBytes, FLOW_TYPES, parsePrefix, prefixContains, QUALITY, type Prefix } from '@ringflow/contract';
import { COLUMN_INDEX, useColumn, type Batch } from '../wire/index.ts';
import { createExporterIds } from './exporter-ids.ts';
import type { Step } from './step.ts';

export interface SamplingStep {
  readonly step: Step;
  status(): SamplingStatus;
}

export interface SamplingStatus {
  /** Records whose rate is not known, by exporter, since start: they are counted as if nothing was sampled. */
  readonly unknown: readonly { readonly exporter: string; readonly records: number }[];
}

interface Override {
  readonly prefix: Prefix;
  readonly rate: number;
}

/** Exporters whose override was looked up, kept; cleared when full. */
const MAX_LOOKED_UP = 65_536;
/** Exporters whose unknown rates are counted. */
const MAX_COUNTED = 4095;

/**
 * Settles `sampling_rate`: the override of the exporter, else what the decoder found (record, options, header), else
 * the default; and flags rows whose rate stays unknown (semantics 5.7, S08).
 *
 * @throws RangeError for an override that is not a network
 */
export function createSamplingStep(defaultRate: number, overrides: Readonly<Record<string, number>>): SamplingStep {
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

  const unknown = new Float64Array(MAX_COUNTED + 1);
  const ids = createExporterIds(MAX_COUNTED, (id) => (unknown[id] = 0));
  let rates: Uint32Array;
  let flags: Uint32Array | null;
  let types: Uint8Array | null;

  /** A discard of sFlow is told one by one, not sampled: the decoder gives it no rate and does not call it unknown. */
  function isDiscard(row: number): boolean {
    return types?.[row] === FLOW_TYPES.SFLOW_5 && ((flags?.[row] ?? 0) & QUALITY.sampling_unknown) === 0;
  }

  function put(row: number, rate: number): void {
    rates[row] = rate;
    if (flags) flags[row] = (flags[row] as number) & ~QUALITY.sampling_unknown;
  }

  function applyOverrides(exporters: Uint32Array, from: number, to: number): void {
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
      if (rate !== 0 && (rates[row] !== 0 || !isDiscard(row))) put(row, rate);
    }
  }

  function flagUnknown(batch: Batch, exporters: Uint32Array | null, row: number): void {
    flags ??= useColumn(batch, COLUMN_INDEX.quality) as Uint32Array;
    flags[row] = (flags[row] as number) | QUALITY.sampling_unknown;
    if (!exporters) return;
    const id = ids.idOf(exporters, row * 4, 0);
    unknown[id] = (unknown[id] as number) + 1;
  }

  return {
    step(batch, from, to) {
      const { data, used } = batch;
      rates = useColumn(batch, COLUMN_INDEX.sampling_rate) as Uint32Array;
      flags = used[COLUMN_INDEX.quality] === 1 ? (data[COLUMN_INDEX.quality] as Uint32Array) : null;
      types = data[COLUMN_INDEX.type] as Uint8Array | null;
      const exporters = data[COLUMN_INDEX.sampler_address] as Uint32Array | null;
      if (table.length > 0 && exporters) applyOverrides(exporters, from, to);
      for (let row = from; row < to; row++) {
        if (rates[row] !== 0) continue;
        if (isDiscard(row)) rates[row] = 1;
        else if (defaultRate !== 0) put(row, defaultRate);
        else flagUnknown(batch, exporters, row);
      }
    },
    status: () => ({
      unknown: Array.from({ length: ids.size() }, (_, index) => ({
        exporter: ids.addressOf(index + 1),
        records: unknown[index + 1] as number,
      })).filter(({ records }) => records > 0),
    }),
  };
}
