import { FLOW_TYPES } from '@ringflow/contract';
import type { WireConfig } from './config.ts';
import { type DatagramInfo, type DecodeSink, type Decoder, type DecoderStats, LOSS, type Source } from './decoder.ts';
import { decodeIpfix } from './ipfix.ts';
import { V5_LAYOUT, V7_LAYOUT, decodeNetflow5 } from './netflow5.ts';
import { decodeNetflow9 } from './netflow9.ts';
import { createParking } from './parking.ts';
import { createRecordWriter } from './records.ts';
import { type Rates, createSampling } from './sampling.ts';
import { type Session, createSessionStore, sharesBoot } from './sessions.ts';
import { createSnapshot } from './snapshot.ts';
import { createSflowContext, decodeSflow } from './sflow.ts';
import { type DecodeState, beginRows, decodeRecords, endRows, useSystemInit } from './state.ts';
import { createTemplateStore } from './templates.ts';
import { createRecordContext, setClock } from './times.ts';

const NO_RATES: ReadonlyMap<number, number> = new Map();

/**
 * Bytes to batch: recognises the protocol by the first four bytes (H18), keeps the templates of all exporters, and
 * parks data that comes before its template. Templates and options state leave by `takeChanges`.
 *
 * @param options `interpret`: no generated code, for the test that compares both
 */
export function createDecoder(config: WireConfig, sink: DecodeSink, options: { interpret?: boolean } = {}): Decoder {
  const parking = createParking(config.parking);
  const sampling = createSampling();
  const snapshot = createSnapshot((session) => sampling.save(session));
  const records = createRecordWriter({ decapsulate: config.sflow.decapsulate, interpret: options.interpret === true });
  const sessions = createSessionStore((session) => forget(session));
  const templates = createTemplateStore(config.templates, {
    defined: (template) => parking.release(template.session, template.id, template),
    changed: (template) => {
      snapshot.template(template);
      sessions.setEmpty(template.session, false);
    },
    removed: (template) => snapshot.removed(template),
    emptied: (session) => sessions.setEmpty(session, true),
  });
  const sflow = createSflowContext(config.sflow, sink);
  const rateCache = new Map<number, Rates>();

  const state: DecodeState = {
    sink,
    sessions,
    templates,
    parking,
    sampling,
    records,
    context: createRecordContext(config.clock),
    constants: {
      type: 0,
      sequence: 0,
      domain: 0,
      arrivalMs: -1,
      arrivalLow: 0,
      arrivalHigh: 0,
      exporter: new Uint32Array(4),
    },
    v5: records.codeOf(V5_LAYOUT),
    v7: records.codeOf(V7_LAYOUT),
    headerRates(rate) {
      let rates = rateCache.get(rate);
      if (!rates) {
        rates = { generation: 0, checked: 0, wide: rate, bySampler: NO_RATES, byInterface: NO_RATES };
        rateCache.set(rate, rates);
      }
      return rates;
    },
    header: { exportMs: 0, uptimeMs: -1, sequence: 0, arrivalMs: 0 },
    datagram: 0,
    templateFallbacks: 0,
    optionsChanged: (session) => snapshot.options(session),
    restart(session) {
      // A router restarts whole, with what its other ports of the domain announced (T03, T13).
      for (const mate of [...session.group.sessions]) {
        if (mate !== session && !sharesBoot(mate, session)) continue;
        templates.dropBefore(mate, state.datagram);
        sampling.forget(mate);
        parking.discard(mate);
        mate.initMs = -1;
        snapshot.options(mate);
      }
      session.group.initMs = -1;
    },
  };

  function forget(session: Session): void {
    sampling.forget(session);
    parking.discard(session);
    snapshot.options(session);
  }

  /** One view over the whole buffer: a receiver reads many datagrams into one, and a view costs more than a record. */
  let buffer: ArrayBufferLike | null = null;
  let bufferView: DataView = new DataView(new ArrayBuffer(0));
  let bufferBytes: Uint8Array = new Uint8Array(0);

  function attach(bytes: Uint8Array): void {
    if (bytes.buffer === buffer) return;
    buffer = bytes.buffer;
    bufferView = new DataView(bytes.buffer);
    bufferBytes = new Uint8Array(bytes.buffer);
  }

  return {
    decode(bytes, source, arrivalMs, batch, info) {
      resetInfo(info, source);
      const length = bytes.length;
      if (length < 4) {
        info.losses[length < 2 ? LOSS.unknown_protocol : LOSS.truncated_header]!++;
        return 0;
      }
      state.datagram++;
      attach(bytes);
      const from = bytes.byteOffset;
      const end = from + length;
      const version = bufferView.getUint16(from);
      switch (version) {
        case 9:
          return decodeNetflow9(state, bufferView, bufferBytes, from, end, source, arrivalMs, batch, info);
        case 10:
          return decodeIpfix(state, bufferView, bufferBytes, from, end, source, arrivalMs, batch, info);
        case 5:
        case 7:
          return decodeNetflow5(state, bufferView, bufferBytes, from, end, source, arrivalMs, batch, info);
        case 0:
          // sFlow's version is 32 bits wide; 2 and 4 are still met (H18).
          if (bufferView.getUint32(from) === 5) {
            const view = new DataView(bytes.buffer, bytes.byteOffset, length);
            return decodeSflow(bytes, view, source, arrivalMs, batch, info, sflow);
          }
          info.losses[bufferView.getUint32(from) <= 4 ? LOSS.unsupported_version : LOSS.unknown_protocol]!++;
          return 0;
        default:
          info.losses[
            version === 1 || version === 6 || version === 8 ? LOSS.unsupported_version : LOSS.unknown_protocol
          ]!++;
          return 0;
      }
    },

    replay(batch, info) {
      const ready = parking.next();
      if (!ready) return -1;
      resetInfo(info, ready.set.session.source);
      const { set, template } = ready;
      const { session, bytes } = set;
      attach(bytes);
      info.type = session.version === 9 ? FLOW_TYPES.NETFLOW_V9 : FLOW_TYPES.IPFIX;
      info.domain = session.domain;
      info.sequence = set.sequence;
      info.exportTimeMs = set.exportMs;
      info.uptimeMs = set.uptimeMs;
      const quality = setClock(state.context, set.exportMs, 0, set.uptimeMs, set.arrivalMs);
      if (session.version === 10) useSystemInit(state.context, session);
      const first = beginRows(state, batch, info, session.source, set.arrivalMs);
      decodeRecords(
        state,
        session,
        template,
        bufferView,
        bufferBytes,
        bytes.byteOffset,
        bytes.byteOffset + bytes.length,
        set,
        quality,
        batch,
        info,
      );
      return endRows(state, batch, info, first);
    },

    expire(nowMs) {
      templates.expire(nowMs);
      return parking.expire(nowMs, (session, id) => templates.find(session, id));
    },

    stats() {
      const stats: DecoderStats = {
        templates: templates.count(),
        parkedSets: 0,
        parkedBytes: 0,
        parkedTotal: 0,
        replayedTotal: 0,
        expiredTotal: 0,
        evictedTotal: 0,
        discardedTotal: 0,
        templateFallbacks: state.templateFallbacks,
      };
      parking.addStats(stats);
      return stats;
    },

    takeChanges: () => snapshot.take(),
    entries: () => snapshot.entries(templates.all()),
    restore: (entries, nowMs) => snapshot.restore(entries, nowMs, state),
  };
}

function resetInfo(info: DatagramInfo, source: Source): void {
  const { words } = source;
  for (let i = 0; i < 4; i++) info.exporter[i] = words[i] as number;
  info.type = 0;
  info.domain = 0;
  info.sequence = 0;
  info.units = 0;
  info.exportTimeMs = 0;
  info.uptimeMs = -1;
  info.records = 0;
  info.otherRecords = 0;
  info.restarted = false;
  info.templates = 0;
  info.templatesSeen = 0;
  info.sampleCount = 0;
  // `fill` of a typed array costs more than these few stores.
  const { losses } = info;
  for (let reason = 0; reason < losses.length; reason++) losses[reason] = 0;
}
