import { APP_RULES, formatAddress, formatProtocol, nameId, serviceName, type NameEntry } from '@ringflow/contract';
import { COLUMN_INDEX, useColumn, type Batch, type ColumnData } from '../../wire/index.ts';
import { createAnnouncements } from '../tables/announcements.ts';
import { classifiedServices, classOfName } from './classes.ts';
import { createApplicationRules } from './rules.ts';
import type { Endpoints } from './endpoints.ts';
import { createExporterIds } from '../exporter-ids.ts';
import type { ApplicationRule } from '../conversations/config.ts';
import { RANK, rankOf, type PortRanks } from './service.ts';
import { createSpanTable } from '../tables/span-table.ts';
import type { Step } from '../step.ts';

/** Names applications (semantics 5.5). */
export interface Applications {
  /** Writes `app` and `app_rule`; needs `service`. */
  readonly step: Step;
  /** The row got another `service` after it was named. */
  revise(batch: Batch, row: number): void;
  /** Takes what exporters call their application ids. */
  learn(entries: Iterable<NameEntry>): void;
  /** Names of applications that went into rows for the first time, and at first the classes of services. */
  takeNames(): NameEntry[];
}

const rule = (name: (typeof APP_RULES)[number]): number => APP_RULES.indexOf(name);
const ENDPOINT = rule('endpoint');
const APPLICATION_NAME = rule('application_name');
const APPLICATION_ID = rule('application_id');
const VENDOR = rule('vendor');
const PREFIX = rule('prefix');
const PORT_TABLE = rule('port_table');
const PORT = rule('port');

/** Exporters whose application ids are kept apart. */
const MAX_EXPORTERS = 1023;
const MAX_SPANS = 16_384;
const MAX_SPAN_BYTES = 1_048_576;
/** Longer texts are cut. */
const MAX_NAME = 256;
/** Names of exporters' making that go into rows; beyond it, the next rule is asked. */
const MAX_NAMES = 65_536;
/** What exporters call their ids; beyond it, the exporter that began first is forgotten. */
const MAX_LEARNED = 131_072;
/** A text that says nothing. */
const NAMELESS = 0;

/**
 * @throws RangeError for a rule with a network, AS or port that is none
 */
export function createApplications(
  config: { readonly applications: readonly ApplicationRule[] },
  { endpoints, ports }: { readonly endpoints: Endpoints; readonly ports: PortRanks },
): Applications {
  const rules = createApplicationRules(config.applications);
  const announcements = createAnnouncements();
  const classes = classifiedServices();
  for (const [id, name] of classes) announcements.tell({ kind: 'app', id, name: '', attributes: { class: name } });
  /** What the texts and ids of records mean. */
  const spans = createSpanTable(MAX_SPANS, MAX_SPAN_BYTES);
  const exporters = createExporterIds(MAX_EXPORTERS, () => spans.clear());
  /** Exporter → application id as hexadecimal digits → name. */
  const learned = new Map<string, Map<string, string>>();
  let learnedNames = 0;
  const decoder = new TextDecoder();
  let names = 0;
  const endpointIds = endpoints.names.map((name) => nameId(name));
  const ruleIds = config.applications.map(({ name }) => nameId(name));

  function forgetOne(): void {
    for (const [exporter, ofExporter] of learned) {
      learned.delete(exporter);
      learnedNames -= ofExporter.size;
      return;
    }
  }

  function announce(id: number, name: string, ofClass: string): void {
    if (announcements.isNew(id)) announcements.tell({ kind: 'app', id, name, attributes: { class: ofClass } });
  }

  /** Id of a name that an exporter gave; {@link NAMELESS} when it is empty or there are too many. */
  function idOfName(text: string): number {
    const name = text
      .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
      .trim()
      .slice(0, MAX_NAME);
    if (name === '') return NAMELESS;
    const id = nameId(name);
    if (announcements.isNew(id)) {
      if (++names > MAX_NAMES) return NAMELESS;
      announcements.tell({ kind: 'app', id, name, attributes: { class: classOfName(name) } });
    }
    return id;
  }

  /** A text column: the application's id, or {@link NAMELESS}. */
  function textId(bytes: Uint8Array, from: number, length: number): number {
    let entry = spans.find(0, bytes, from, length);
    if (entry < 0)
      entry = spans.add(0, bytes, from, length, idOfName(decoder.decode(bytes.subarray(from, from + length))));
    return spans.valueOf(entry);
  }

  /** An application id of the exporter of a row: what it calls it, or its number. */
  function numberId(batch: Batch, row: number, proto: number, from: number, length: number): number {
    const agents = batch.data[COLUMN_INDEX.sampler_address] as Uint32Array | null;
    const exporter = agents ? exporters.idOf(agents, row * 4, 0) : 0;
    // Ports mean something with a protocol only.
    const seed = exporter * 256 + (batch.arena[from] === ENGINE.layer4 ? proto : 0) + 1_048_576;
    let entry = spans.find(seed, batch.arena, from, length);
    if (entry < 0) {
      const bytes = batch.arena.subarray(from, from + length);
      const address = agents ? formatAddress(agents, row * 4) : '';
      entry = spans.add(seed, batch.arena, from, length, resolve(address, bytes, proto));
    }
    return spans.valueOf(entry);
  }

  function resolve(exporter: string, bytes: Uint8Array, proto: number): number {
    if (bytes.every((byte) => byte === 0)) return NAMELESS;
    const told = learned.get(exporter)?.get(hexOf(bytes));
    // A vendor's number 0: not looked at [v9-fortigate-542].
    if (told === undefined && bytes[0] === ENGINE.pen && bytes.subarray(5).every((byte) => byte === 0)) return NAMELESS;
    return idOfName(told ?? formatApplicationId(bytes, proto));
  }

  function nameByPort(apps: Uint32Array, appRules: Uint8Array, row: number, service: number): void {
    apps[row] = service;
    const base = ports.first[service >>> 16] as number;
    const isInTable = base >= 0 && rankOf(ports.ranks, base, service & 0xffff) >= RANK.registered;
    appRules[row] = isInTable ? PORT_TABLE : PORT;
  }

  function step(batch: Batch, from: number, to: number): void {
    const { data, used } = batch;
    const apps = useColumn(batch, COLUMN_INDEX.app) as Uint32Array;
    const appRules = useColumn(batch, COLUMN_INDEX.app_rule) as Uint8Array;
    const services = data[COLUMN_INDEX.service] as Uint32Array | null;
    if (!services) return;
    // From the strongest rule to the weakest; each looks at the rows that have no name yet.
    if (endpoints.names.length > 1) byEndpoint(batch, apps, appRules, services, from, to);
    if (used[COLUMN_INDEX.app_name] === 1)
      byText(batch, COLUMN_INDEX.app_name, APPLICATION_NAME, apps, appRules, from, to);
    if (used[COLUMN_INDEX.app_id] === 1) byNumber(batch, apps, appRules, services, from, to);
    if (used[COLUMN_INDEX.vendor_app] === 1) byText(batch, COLUMN_INDEX.vendor_app, VENDOR, apps, appRules, from, to);
    if (rules) byPlace(batch, apps, appRules, from, to);
    for (let row = from; row < to; row++)
      if (appRules[row] === 0 && services[row] !== 0) nameByPort(apps, appRules, row, services[row] as number);
  }

  function byEndpoint(
    { data }: Batch,
    apps: Uint32Array,
    appRules: Uint8Array,
    services: Uint32Array,
    from: number,
    to: number,
  ): void {
    const src = signed(data[COLUMN_INDEX.src_addr]);
    const dst = signed(data[COLUMN_INDEX.dst_addr]);
    const srcPorts = data[COLUMN_INDEX.src_port];
    const dstPorts = data[COLUMN_INDEX.dst_port];
    for (let row = from; row < to; row++) {
      const proto = (services[row] as number) >>> 16;
      const atSrc = src && srcPorts ? endpoints.find(src, row * 4, srcPorts[row] as number, proto) : 0;
      const atDst = dst && dstPorts ? endpoints.find(dst, row * 4, dstPorts[row] as number, proto) : 0;
      // Between two of them, the first one in the configuration: the same for both directions.
      const number = atSrc && atDst ? Math.min(atSrc, atDst) : atSrc || atDst;
      if (number === 0) continue;
      apps[row] = endpointIds[number] as number;
      appRules[row] = ENDPOINT;
      const name = endpoints.names[number] as string;
      announce(apps[row] as number, name, classOfName(name));
    }
  }

  function byText(
    batch: Batch,
    column: number,
    why: number,
    apps: Uint32Array,
    appRules: Uint8Array,
    from: number,
    to: number,
  ): void {
    const texts = batch.data[column] as Uint32Array;
    for (let row = from; row < to; row++) {
      const length = texts[row * 2 + 1] as number;
      if (length === 0 || appRules[row] !== 0) continue;
      const id = textId(batch.arena, texts[row * 2] as number, length);
      if (id === NAMELESS) continue;
      apps[row] = id;
      appRules[row] = why;
    }
  }

  function byNumber(
    batch: Batch,
    apps: Uint32Array,
    appRules: Uint8Array,
    services: Uint32Array,
    from: number,
    to: number,
  ): void {
    const ids = batch.data[COLUMN_INDEX.app_id] as Uint32Array;
    for (let row = from; row < to; row++) {
      const length = ids[row * 2 + 1] as number;
      if (length === 0 || appRules[row] !== 0) continue;
      const id = numberId(batch, row, (services[row] as number) >>> 16, ids[row * 2] as number, length);
      if (id === NAMELESS) continue;
      apps[row] = id;
      appRules[row] = APPLICATION_ID;
    }
  }

  function byPlace(batch: Batch, apps: Uint32Array, appRules: Uint8Array, from: number, to: number): void {
    rules?.bind(batch);
    for (let row = from; row < to; row++) {
      if (appRules[row] !== 0) continue;
      const found = rules?.find(row) ?? -1;
      if (found < 0) continue;
      const { name, class: ofClass } = config.applications[found] as ApplicationRule;
      apps[row] = ruleIds[found] as number;
      appRules[row] = PREFIX;
      announce(apps[row] as number, name, ofClass ?? classOfName(name));
    }
  }

  return {
    step,
    revise(batch, row) {
      const appRules = batch.data[COLUMN_INDEX.app_rule] as Uint8Array | null;
      if (!appRules || (appRules[row] as number) < PORT_TABLE) return;
      const service = (batch.data[COLUMN_INDEX.service] as Uint32Array)[row] as number;
      nameByPort(batch.data[COLUMN_INDEX.app] as Uint32Array, appRules, row, service);
    },
    learn(entries) {
      let isNews = false;
      for (const { kind, exporter, id, name } of entries) {
        if (kind !== 'application' || name === '') continue;
        let ofExporter = learned.get(exporter);
        if (!ofExporter) learned.set(exporter, (ofExporter = new Map()));
        if (ofExporter.get(id) === name) continue;
        if (!ofExporter.has(id)) learnedNames++;
        ofExporter.set(id, name);
        isNews = true;
        if (learnedNames > MAX_LEARNED) forgetOne();
      }
      if (isNews) spans.clear();
    },
    takeNames: announcements.take,
  };
}

/** Classification engines whose selectors mean the same everywhere (RFC 6759 4.1). */
const ENGINE = { layer3: 1, layer4: 3, pen: 20 } as const;

/**
 * An application id in words that need no dictionary: the protocol of engine 1, the registered service of engine 3,
 * else the numbers of engine and selector: `13:453`, `20:12356:36660` (RFC 6759 4.1, 4.2).
 */
export function formatApplicationId(bytes: Uint8Array, proto: number): string {
  const engine = bytes[0] as number;
  const selector = numberOf(bytes.subarray(1));
  if (engine === ENGINE.layer3 && selector < 256n) return formatProtocol(Number(selector)).toLowerCase();
  if (engine === ENGINE.layer4 && selector < 65_536n) {
    const name = serviceName(proto, Number(selector));
    if (name !== null) return name;
  }
  if (engine === ENGINE.pen && bytes.length > 5)
    return `${engine}:${numberOf(bytes.subarray(1, 5))}:${numberOf(bytes.subarray(5))}`;
  return `${engine}:${selector}`;
}

/** The same memory, as {@link Endpoints} reads it. */
function signed(words: ColumnData | null | undefined): Int32Array | null {
  return words ? new Int32Array(words.buffer, words.byteOffset, words.length) : null;
}

function numberOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = value * 256n + BigInt(byte);
  return value;
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
