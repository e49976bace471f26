import type { WireConfig } from './config.ts';
import { type Layout, createLayout } from './layout.ts';
import { type TemplateField, fieldsOfKey, layoutKey } from './template-fields.ts';
import { createOldest } from './oldest.ts';
import type { RecordCode } from './records.ts';
import type { Group, Session } from './sessions.ts';

/** A definition that data sets refer to. Data and options templates share one id space (T04). */
export interface Template {
  readonly session: Session;
  readonly id: number;
  /** Scope fields in front of an options template's fields; -1 for a data template. */
  readonly scopeCount: number;
  /** The fields, see `layoutKey`. */
  readonly key: string;
  readonly fieldCount: number;
  /** Made when data arrives; null again when too many templates have one. */
  code: RecordCode | null;
  /** Number of the datagram that defined it, so that a restart seen in the same datagram keeps it (T13). */
  definedBy: number;
  announcedMs: number;
  /** Longest time between two announcements so far (T11). */
  intervalMs: number;
  /** When data was last decoded with it; 0 = never. */
  usedMs: number;
  /** Which templates go first in a flood (X02). */
  standing: 'unproven' | 'young' | 'established';
  /** When data was first decoded with it since it was announced or restored. */
  firstUsedMs: number;
  /** When it was announced, as it was last handed out for keeping (T12); 0 = never handed out. */
  savedMs: number;
}

export type DefineResult = 'new' | 'same' | 'limit_fields' | 'bad_template';

export interface TemplateStore {
  /** The session's own template, else the newest of another port of the same address and domain (T02, T03). */
  find(session: Session, id: number): Template | undefined;
  /** T04, T05, T07: the definition replaces any earlier one of the id; an invalid one drops it. */
  define(
    session: Session,
    id: number,
    scopeCount: number,
    fields: readonly TemplateField[],
    nowMs: number,
    datagram: number,
  ): DefineResult;
  drop(session: Session, id: number): void;
  /** T13: forgets what a restarted exporter announced before `datagram`. */
  dropBefore(session: Session, datagram: number): void;
  /** T11. */
  expire(nowMs: number): void;
  markUsed(template: Template, nowMs: number): void;
  layoutOf(template: Template): Layout;
  all(): Iterable<Template>;
  count(): number;
}

export interface TemplateEvents {
  /** After a new or changed definition; parked data may be waiting for it. */
  defined(template: Template): void;
  /** A definition must be kept on disk (T12), */
  changed(template: Template): void;
  /** or is gone. */
  removed(template: Template): void;
  /** The session holds no templates any more. */
  emptied(session: Session): void;
}

/** Longest data record that a template may describe (X02). */
const MAX_RECORD_BYTES = 65_535;
/** Fields kept over all templates, per template of `max_total`: what takes the memory is fields (X02). */
const FIELDS_PER_TEMPLATE = 32;
/** An unchanged template is handed out for keeping again after this long, for its age. */
const SAVE_INTERVAL_MS = 600_000;
/** A template is established once it was used again after this long: a spoofed address would have to come back. */
const ESTABLISHED_MS = 5000;
/** Candidates that are looked at to find the one to give up. */
const SAMPLE = 32;
/** Layouts kept with the code made of them, some 20 KB each. Networks have dozens, floods any number (X02). */
const MAX_LAYOUTS = 1024;

export function createTemplateStore(config: WireConfig['templates'], events: TemplateEvents): TemplateStore {
  /** Never used to decode: in the order of their coming. */
  const unproven = new Set<Template>();
  /** Used to decode, but not for long: whoever sends a template and a record under a spoofed address gets this far. */
  const young = new Set<Template>();
  const oldestUnproven = createOldest(unproven);
  const oldestYoung = createOldest(young);
  const perAddress = new Map<string, Set<Template>>();
  /** Layouts by their fields, shared by all exporters with equal devices. */
  let layouts = new Map<string, Layout>();
  let total = 0;
  let totalFields = 0;

  function remove(template: Template): void {
    const { session, id } = template;
    if (session.templates.get(id) !== template) return;
    session.templates.delete(id);
    unproven.delete(template);
    young.delete(template);
    const mates = perAddress.get(session.address);
    mates?.delete(template);
    if (mates?.size === 0) perAddress.delete(session.address);
    total--;
    totalFields -= template.fieldCount;
    if (session.group.newest.get(id) === template) promote(session.group, id);
    events.removed(template);
    if (session.templates.size === 0) events.emptied(session);
  }

  function promote(group: Group, id: number): void {
    let newest: Template | undefined;
    for (const session of group.sessions) {
      const template = session.templates.get(id);
      if (template && (!newest || template.announcedMs >= newest.announcedMs)) newest = template;
    }
    if (newest) group.newest.set(id, newest);
    else group.newest.delete(id);
  }

  /** The one used least recently of the {@link SAMPLE} that were announced longest ago: a bounded search (X01). */
  function leastRecent(templates: Iterable<Template>): Template | undefined {
    let victim: Template | undefined;
    let left = SAMPLE;
    for (const template of templates) {
      if (left-- === 0) break;
      if (!victim || Math.max(template.usedMs, template.announcedMs) < Math.max(victim.usedMs, victim.announcedMs))
        victim = template;
    }
    return victim;
  }

  /** X02: an exporter pays for its own templates; over all, what never decoded anything goes first, then newcomers. */
  function makeRoom(address: string, fieldCount: number): void {
    const mates = perAddress.get(address);
    if (mates && mates.size >= config.max_per_exporter) {
      const victim = leastRecent(mates);
      if (victim) remove(victim);
    }
    while (total >= config.max_total || totalFields + fieldCount > config.max_total * FIELDS_PER_TEMPLATE) {
      const victim = leastWanted();
      if (!victim) return;
      remove(victim);
    }
  }

  function leastWanted(): Template | undefined {
    const first = oldestUnproven() ?? oldestYoung();
    if (first) return first;
    let largest: Set<Template> | undefined;
    for (const set of perAddress.values()) if (!largest || set.size > largest.size) largest = set;
    return largest && leastRecent(largest);
  }

  /** Exporters that have proven themselves keep theirs, unless they are too many: what is missed is made again. */
  function forgetLayouts(): void {
    const proven = new Map<string, Layout>();
    for (const mates of perAddress.values())
      for (const { standing, key, code } of mates) if (standing === 'established' && code) proven.set(key, code.layout);
    layouts = proven.size <= MAX_LAYOUTS / 2 ? proven : new Map();
    for (const mates of perAddress.values())
      for (const template of mates) if (!layouts.has(template.key)) template.code = null;
  }

  return {
    find(session, id) {
      return session.templates.get(id) ?? session.group.newest.get(id);
    },

    define(session, id, scopeCount, fields, nowMs, datagram) {
      const old = session.templates.get(id);
      const problem = checkFields(fields, config.max_fields);
      if (problem) {
        if (old) remove(old);
        return problem;
      }
      const key = layoutKey(fields);
      if (old && old.key === key && old.scopeCount === scopeCount) {
        old.intervalMs = Math.max(old.intervalMs, nowMs - old.announcedMs);
        old.announcedMs = nowMs;
        old.definedBy = datagram;
        const mates = perAddress.get(session.address);
        mates?.delete(old);
        mates?.add(old);
        session.group.newest.set(id, old);
        if (nowMs - old.savedMs >= SAVE_INTERVAL_MS) {
          events.changed(old);
        }
        return 'same';
      }
      if (old) remove(old);
      makeRoom(session.address, fields.length);
      const template: Template = {
        session,
        id,
        scopeCount,
        key,
        fieldCount: fields.length,
        code: null,
        definedBy: datagram,
        announcedMs: nowMs,
        intervalMs: 0,
        usedMs: 0,
        standing: 'unproven',
        firstUsedMs: 0,
        savedMs: 0,
      };
      session.templates.set(id, template);
      session.group.sessions.add(session);
      session.group.newest.set(id, template);
      unproven.add(template);
      const mates = perAddress.get(session.address);
      if (mates) mates.add(template);
      else perAddress.set(session.address, new Set([template]));
      total++;
      totalFields += fields.length;
      events.changed(template);
      events.defined(template);
      return 'new';
    },

    drop(session, id) {
      const template = session.templates.get(id);
      if (template) remove(template);
    },

    dropBefore(session, datagram) {
      for (const template of [...session.templates.values()]) if (template.definedBy < datagram) remove(template);
    },

    expire(nowMs) {
      for (const mates of [...perAddress.values()]) {
        for (const template of [...mates]) {
          const lifeMs = Math.max(config.max_age_seconds * 1000, 3 * template.intervalMs);
          if (nowMs - Math.max(template.usedMs, template.announcedMs) > lifeMs) remove(template);
        }
      }
    },

    markUsed(template, nowMs) {
      if (template.standing !== 'established') {
        // Parked data is decoded with the template that freed it, which a flood may have pushed out meanwhile.
        if (template.session.templates.get(template.id) !== template) return;
        if (template.standing === 'unproven') {
          unproven.delete(template);
          young.add(template);
          template.standing = 'young';
          template.firstUsedMs = nowMs;
        } else if (nowMs - template.firstUsedMs >= ESTABLISHED_MS) {
          young.delete(template);
          template.standing = 'established';
        }
      }
      template.usedMs = Math.max(nowMs, 1);
    },

    layoutOf(template) {
      let layout = layouts.get(template.key);
      if (!layout) {
        if (layouts.size >= MAX_LAYOUTS) forgetLayouts();
        layout = createLayout(fieldsOfKey(template.key), template.key);
        layouts.set(template.key, layout);
      }
      return layout;
    },

    *all() {
      for (const mates of perAddress.values()) yield* mates;
    },

    count: () => total,
  };
}

/** T21, L18, X02: some bytes per record, but not too many, in not too many fields. */
function checkFields(fields: readonly TemplateField[], maxFields: number): 'limit_fields' | 'bad_template' | null {
  if (fields.length > maxFields) return 'limit_fields';
  let minBytes = 0;
  for (const field of fields) minBytes += field.length === 65_535 ? 1 : field.length;
  if (minBytes === 0) return 'bad_template';
  return minBytes > MAX_RECORD_BYTES ? 'limit_fields' : null;
}
