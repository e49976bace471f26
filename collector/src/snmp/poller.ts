import { parseAddress, parsePrefix, prefixContains, type NameEntry } from '@ringflow/contract';
import type { SnmpConfig, SnmpCredentials } from './config.ts';
import { askExporter, type SnmpAnswer } from './session.ts';

export interface SnmpDeps {
  /** Text forms of the addresses of exporters that send. */
  readonly exporters: () => readonly string[];
  readonly onNames: (entries: readonly NameEntry[]) => void;
  /** Counters of an exporter's interfaces, for comparison with its flows. */
  readonly onCounters: (exporter: string, answer: SnmpAnswer) => void;
  readonly log: { warn(fields: object, message: string): void };
  readonly now: () => number;
}

/** How asking one exporter went. */
export interface SnmpStatus {
  readonly exporter: string;
  /** Milliseconds since the epoch of the last answer; 0 = none yet. */
  readonly answeredMs: number;
  readonly interfaces: number;
  /** Why the last question was not answered; null when it was. */
  readonly error: string | null;
}

/** Asks the exporters that send, each once per interval. */
export interface SnmpPoller {
  start(): void;
  /** Waits for what is being asked, at most as long as an answer may take. */
  stop(): Promise<void>;
  status(): readonly SnmpStatus[];
}

/** How often it is looked who is due. */
const TICK_MS = 1000;
/** Exporters remembered; spoofed ones must not fill the memory. */
const MAX_EXPORTERS = 10_000;

export function createSnmpPoller(config: SnmpConfig, deps: SnmpDeps): SnmpPoller {
  const known = new Map<string, { dueMs: number; status: SnmpStatus }>();
  const running = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | null = null;

  async function ask(exporter: string, credentials: SnmpCredentials): Promise<void> {
    const entry = known.get(exporter);
    try {
      const answer = await askExporter(exporter, credentials, config, deps.now);
      deps.onNames(namesOf(exporter, answer));
      deps.onCounters(exporter, answer);
      if (entry) entry.status = { exporter, answeredMs: deps.now(), interfaces: answer.interfaces.length, error: null };
    } catch (error) {
      const { message } = error as Error;
      if (entry && entry.status.error !== message)
        deps.log.warn({ exporter, err: error }, 'exporter does not answer by SNMP');
      if (entry) entry.status = { ...entry.status, error: message };
    }
  }

  function tick(): void {
    const nowMs = deps.now();
    for (const exporter of config.enabled ? deps.exporters() : []) {
      if (running.size >= config.concurrency) return;
      const entry = known.get(exporter);
      if (entry && entry.dueMs > nowMs) continue;
      const credentials = credentialsOf(config.credentials, exporter);
      if (!credentials || (!entry && known.size >= MAX_EXPORTERS)) continue;
      known.set(exporter, {
        dueMs: nowMs + config.interval_seconds * 1000,
        status: entry?.status ?? { exporter, answeredMs: 0, interfaces: 0, error: null },
      });
      const asked: Promise<void> = ask(exporter, credentials).finally(() => running.delete(asked));
      running.add(asked);
    }
  }

  return {
    start() {
      timer = setInterval(tick, TICK_MS).unref();
    },
    async stop() {
      if (timer) clearInterval(timer);
      await Promise.all(running);
    },
    status: () => [...known.values()].map(({ status }) => status),
  };
}

/** The first entry whose networks hold the address. */
export function credentialsOf(list: readonly SnmpCredentials[], address: string): SnmpCredentials | undefined {
  const bytes = parseAddress(address);
  if (!bytes) return undefined;
  return list.find(({ networks }) => {
    if (networks === undefined) return true;
    return networks.some((text) => {
      const prefix = parsePrefix(text);
      return prefix !== null && prefixContains(prefix, bytes);
    });
  });
}

function namesOf(exporter: string, { name, interfaces }: SnmpAnswer): NameEntry[] {
  const entry = (known: Pick<NameEntry, 'kind' | 'id' | 'name'> & Partial<NameEntry>): NameEntry => ({
    exporter,
    description: '',
    speedBps: 0,
    source: 'snmp',
    attributes: {},
    ...known,
  });
  return [
    ...(name === '' ? [] : [entry({ kind: 'exporter', id: exporter, name })]),
    ...interfaces.map(({ index, ...one }) =>
      entry({
        kind: 'interface',
        id: String(index),
        name: one.name,
        description: one.description,
        speedBps: one.speedBps,
      }),
    ),
  ];
}
