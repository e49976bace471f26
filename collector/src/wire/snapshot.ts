import type { SavedSampling } from './sampling.ts';
import type { Session } from './sessions.ts';
import type { DecodeState } from './state.ts';
import type { Template } from './templates.ts';
import type { TemplateField } from './layout.ts';
import type { Source } from './decoder.ts';

/**
 * Templates and options state as small JSON values, one per key, so that a restarted collector need not wait half an
 * hour for its exporters to repeat themselves (T12). Keys: `t|version|address|port|domain|id`, `o|version|address|port|domain`.
 */
export interface Snapshot {
  template(session: Session, id: number, template: Template | null): void;
  /** The session's options state changed; it is looked at by `take`, since thousands of records may change it. */
  options(session: Session): void;
  take(): Map<string, unknown>;
  restore(entries: Iterable<readonly [string, unknown]>, nowMs: number, state: DecodeState): void;
}

interface SavedTemplate {
  /** -1 = a data template. */
  scopes: number;
  /** Enterprise, element, length; one after the other. */
  fields: number[];
  announced_ms: number;
  interval_ms: number;
  used_ms: number;
  /** Boot time and sequence when it was saved, to see a reboot that happened meanwhile; null for IPFIX. */
  boot_ms: number | null;
  words: number[];
}

interface SavedOptions {
  sampling: SavedSampling | null;
  init_ms: number;
  words: number[];
}

/** @param samplingOf what a session announced; null = nothing */
export function createSnapshot(samplingOf: (session: Session) => SavedSampling | null): Snapshot {
  let changes = new Map<string, unknown>();
  let restoring = false;
  const savedOptions = new Set<string>();
  let changedOptions = new Set<Session>();

  function saveOptions(session: Session): void {
    const sampling = samplingOf(session);
    const nothing = sampling === null && session.initMs < 0;
    const saved: SavedOptions = { sampling, init_ms: session.initMs, words: [...session.source.words] };
    const key = `o|${session.key}`;
    if (nothing && !savedOptions.delete(key)) return;
    if (!nothing) savedOptions.add(key);
    changes.set(key, nothing ? null : saved);
  }

  return {
    template(session, id, template) {
      if (!restoring) changes.set(`t|${session.key}|${id}`, template ? saveTemplate(template) : null);
    },

    options(session) {
      if (restoring) return;
      if (!session.gone) {
        changedOptions.add(session);
        return;
      }
      // Not kept until somebody asks: a flood evicts a hundred thousand.
      changedOptions.delete(session);
      if (savedOptions.delete(`o|${session.key}`)) changes.set(`o|${session.key}`, null);
    },

    take() {
      for (const session of changedOptions) saveOptions(session);
      changedOptions = new Set();
      const taken = changes;
      changes = new Map();
      return taken;
    },

    restore(entries, nowMs, state) {
      restoring = true;
      const sources = new Map<string, Source>();
      for (const [key, value] of entries) {
        const parts = key.split('|');
        const [kind, version, address, port, domain, id] = parts;
        // X10: what does not look right is left out; the exporter will repeat it.
        if (typeof value !== 'object' || value === null || address === undefined) continue;
        const numbers = [version, port, domain].map(Number);
        if (!numbers.every((n) => Number.isInteger(n) && n >= 0)) continue;
        const words = (value as { words?: unknown }).words;
        if (!isNumbers(words) || words.length !== 4) continue;
        const sourceKey = `${address}|${port}`;
        const source = sources.get(sourceKey) ?? {
          address,
          port: numbers[1] as number,
          words: Uint32Array.from(words),
        };
        sources.set(sourceKey, source);
        const session = state.sessions.find(source, numbers[0] as number, numbers[2] as number);
        session.restored = true;
        if (kind === 't') restoreTemplate(state, session, Number(id), value as SavedTemplate, nowMs);
        else if (kind === 'o') {
          savedOptions.add(key);
          restoreOptions(state, session, value as SavedOptions);
        }
      }
      restoring = false;
    },
  };
}

function saveTemplate(template: Template): SavedTemplate {
  const { session } = template;
  return {
    scopes: template.scopeCount,
    fields: template.fields.flatMap((field) => [field.pen, field.id, field.length]),
    announced_ms: template.announcedMs,
    interval_ms: template.intervalMs,
    used_ms: template.usedMs,
    boot_ms: session.boots[0] ?? null,
    words: [...session.source.words],
  };
}

function restoreTemplate(state: DecodeState, session: Session, id: number, saved: SavedTemplate, nowMs: number): void {
  if (
    !isNumbers(saved.fields) ||
    saved.fields.length % 3 !== 0 ||
    !(id >= 256 && id <= 65_535) ||
    !Number.isInteger(saved.scopes)
  )
    return;
  const fields: TemplateField[] = [];
  for (let i = 0; i < saved.fields.length; i += 3) {
    fields.push({
      pen: saved.fields[i] as number,
      id: saved.fields[i + 1] as number,
      length: saved.fields[i + 2] as number,
    });
  }
  if (fields.some((field) => field.length > 65_535 || field.id > 65_535)) return;
  const announcedMs = Math.min(Number(saved.announced_ms) || 0, nowMs);
  if (state.templates.define(session, id, saved.scopes, fields, announcedMs, 0) !== 'new') return;
  const template = session.templates.get(id);
  if (template) {
    template.intervalMs = Number(saved.interval_ms) || 0;
    template.usedMs = Math.min(Number(saved.used_ms) || 0, nowMs);
  }
  if (typeof saved.boot_ms === 'number' && session.boots.length === 0) {
    session.boots = [saved.boot_ms];
    session.seen = true;
  }
}

function restoreOptions(state: DecodeState, session: Session, saved: SavedOptions): void {
  if (Number.isFinite(saved.init_ms) && saved.init_ms >= 0) {
    session.initMs = saved.init_ms;
    session.group.initMs = saved.init_ms;
  }
  const sampling = saved.sampling;
  if (!sampling || !Number.isInteger(sampling.wide) || !isPairs(sampling.samplers) || !isPairs(sampling.interfaces))
    return;
  state.sampling.restore(session, sampling);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isInteger(n) && n >= 0);
}

function isPairs(value: unknown): value is [number, number][] {
  return Array.isArray(value) && value.every((pair) => isNumbers(pair) && pair.length === 2);
}
