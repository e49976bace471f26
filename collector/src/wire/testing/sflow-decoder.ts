import { createDatagramInfo, type Decoder, type DecodeSink } from '../decoder.ts';
import { createSflowContext, decodeSflow } from '../sflow.ts';

/** A decoder that only knows sFlow, to test that file without the dispatch around it. */
export function createSflowDecoder(sink: DecodeSink, decapsulate = false): Decoder {
  const context = createSflowContext({ decapsulate }, sink);
  const empty = createDatagramInfo();
  return {
    decode(bytes, source, arrivalMs, batch, info) {
      Object.assign(info, { ...empty, exporter: info.exporter, samples: info.samples, losses: info.losses });
      info.losses.fill(0);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return decodeSflow(bytes, view, source, arrivalMs, batch, info, context);
    },
    replay: () => -1,
    expire: () => 0,
    stats: () => ({
      templates: 0,
      parkedSets: 0,
      parkedBytes: 0,
      parkedTotal: 0,
      replayedTotal: 0,
      expiredTotal: 0,
      evictedTotal: 0,
      discardedTotal: 0,
      templateFallbacks: 0,
    }),
    takeChanges: () => new Map(),
    entries: () => [],
    restore: () => {},
  };
}
