import type { SavedSampling } from './sampling.ts';
import type { Session } from './sessions.ts';
import type { DecodeState } from './state.ts';
import type { Template } from './templates.ts';
import { type TemplateField, fieldsOfKey } from './template-fields.ts';
import type { Source } from './decoder.ts';

/**
 * Templates and options state as small JSON values, one per key, so that a restarted collector need not wait half an
 * hour for its exporters to repeat themselves (T12). Keys: `t|version|address|port|domain|id`, `o|version|address|port|domain`.
 */
export interface Snapshot {
  template(template: Template): void;
  removed(template: Template): void;
  /** The session's options state changed; it is looked at by `take`, since thousands of records may change it. */
  options(session: Session): void;
  take(): Map<string, unknown>;
  /** All that was ever taken and still holds. */
  entries(templates: Iterable<Template>): Iterable<readonly [string, unknown]>;
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
  let restoring = false;
  /** What changed since it was taken. Its text is made when it is taken: a flood replaces it many times before. */
  let changedTemplates = new Set<Template>();
  let changedOptions = new Set<Session>();
  /** Keys of what was taken and is gone. */
  let gone = new Set<string>();
  const savedOptions = new Map<string, Session>();

  function optionsOf(session: Session): SavedOptions | null {
    const sampling = samplingOf(session);
    if (sampling === null && session.initMs < 0) return null;
    return { sampling, init_ms: session.initMs, words: [...session.source.words] };
  }

  return {
    template(template) {
      if (!restoring) changedTemplates.add(template);
    },

    removed(template) {
      changedTemplates.delete(template);
      if (template.savedMs > 0) gone.add(templateKey(template));
    },

    options(session) {
      if (restoring) return;
      if (!session.gone) {
        changedOptions.add(session);
        return;
      }
      // Not kept until somebody asks: a flood evicts a hundred thousand.
      changedOptions.delete(session);
      if (savedOptions.delete(`o|${session.key}`)) gone.add(`o|${session.key}`);
    },

    take() {
      const taken = new Map<string, unknown>();
      for (const key of gone) taken.set(key, null);
      for (const template of changedTemplates) {
        template.savedMs = Math.max(1, template.announcedMs);
        taken.set(templateKey(template), saveTemplate(template));
      }
      for (const session of changedOptions) {
        const key = `o|${session.key}`;
        const saved = optionsOf(session);
        if (saved) savedOptions.set(key, session);
        else if (!savedOptions.delete(key)) continue;
        taken.set(key, saved);
      }
      gone = new Set();
      changedTemplates = new Set();
      changedOptions = new Set();
      return taken;
    },

    *entries(templates) {
      for (const template of templates)
        if (template.savedMs > 0) yield [templateKey(template), saveTemplate(template)] as const;
      for (const [key, session] of savedOptions) yield [key, optionsOf(session)] as const;
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
          savedOptions.set(key, session);
          restoreOptions(state, session, value as SavedOptions);
        }
      }
      restoring = false;
    },
  };
}

function templateKey({ session, id }: Template): string {
  return `t|${session.key}|${id}`;
}

function saveTemplate(template: Template): SavedTemplate {
  const { session } = template;
  return {
    scopes: template.scopeCount,
    fields: fieldsOfKey(template.key).flatMap((field) => [field.pen, field.id, field.length]),
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
    template.savedMs = Math.max(1, announcedMs);
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
