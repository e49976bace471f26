import { createBatch, resetBatch } from '../batch.ts';
import { WIRE_DEFAULTS, type WireConfig } from '../config.ts';
import { createDecoder } from '../decode.ts';
import {
  type DatagramInfo,
  type Decoder,
  LOSS,
  type LossReason,
  type OptionsRecord,
  type Source,
  createDatagramInfo,
} from '../decoder.ts';
import { type Row, readRow } from './captures.ts';

/** Arrival time of a datagram unless a test says otherwise; equal to the export time of the builders. */
export const NOW = 1_700_000_000_000;
/** An exporter, and a port of it. */
export const from = (last: number, port = 2000): Source => ({
  address: `192.0.2.${last}`,
  words: new Uint32Array([0, 0, 0xffff0000, last]),
  port,
});
export const router = from(1);

/** A decoder with everything around it that a test needs. */
export interface Bench {
  decoder: Decoder;
  info: DatagramInfo;
  options: OptionsRecord[];
  take(payload: Uint8Array, source?: Source, arrivalMs?: number): Row[];
  replay(): Row[];
  losses(reason: LossReason): number;
}

export function bench(config: WireConfig = WIRE_DEFAULTS): Bench {
  const options: OptionsRecord[] = [];
  const decoder = createDecoder(config, { options: (record) => void options.push(record), counters: () => {} });
  const info = createDatagramInfo();
  const batch = createBatch({ rowLimit: 100 });
  const rows = (): Row[] => {
    const all = Array.from({ length: batch.rows }, (_, row) => readRow(batch, row));
    resetBatch(batch);
    return all;
  };
  return {
    decoder,
    info,
    options,
    take(payload, source = router, arrivalMs = NOW) {
      expect(decoder.decode(payload, source, arrivalMs, batch, info)).toBe(batch.rows);
      return rows();
    },
    replay() {
      while (decoder.replay(batch, info) >= 0);
      return rows();
    },
    losses: (reason) => info.losses[LOSS[reason]] as number,
  };
}
