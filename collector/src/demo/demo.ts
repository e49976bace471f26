import type { DemoConfig } from './config.ts';
import type { Deliver, ExporterTarget } from './exporter.ts';
import type { DemoFlow } from './flow.ts';
import { sendHistory } from './history.ts';
import { INCIDENTS, INCIDENT_MS, type Incident } from './incidents.ts';
import { rhythm } from './network.ts';
import { createRandom, type Random } from './random.ts';
import { createSpeakers, type Speaker } from './speaker.ts';

export interface DemoDeps {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told what goes on, for people. */
  readonly log: (message: string) => void;
  /** Told when an incident begins. */
  readonly incident?: (incident: Incident) => void;
  /** Takes the datagrams of the past; without it there is no history. */
  readonly history?: {
    readonly keep: Deliver;
    /** Milliseconds since the epoch up to which an earlier run has left data; 0 when none has. */
    readonly untilMs: number;
    /** Told, again and again, up to when there is data now. */
    readonly reached: (untilMs: number) => void;
    /** Told that no more datagrams come. */
    readonly end: () => Promise<void>;
  };
}

export interface Demo {
  /** Opens the sockets and begins with the live traffic; the history follows in the background. */
  start(): Promise<void>;
  /** Resolves with the number of flow records once the history has been handed over. */
  readonly history: Promise<{ flows: number }>;
  /** Live traffic. */
  status(): readonly { name: string; address: string; datagrams: number; flows: number }[];
  stop(): Promise<void>;
}

const TICK_MS = 250;
const HOUR_MS = 3_600_000;
/** A tick after a pause (a suspended machine, a busy core) makes up for so much of it. */
const LONGEST_TICK_MS = 1000;
const REACHED_MS = 5000;

/** The synthetic network: real datagrams from several exporters to the collector's UDP ports, and their past. */
export function createDemo(config: DemoConfig, target: ExporterTarget, deps: DemoDeps): Demo {
  const random: Random = createRandom(config.seed);
  const startedMs = deps.now();
  const speakers: (Speaker & { owed: number })[] = createSpeakers(target, random, startedMs).map((speaker) => ({
    ...speaker,
    // Conversations owed by earlier ticks, below one.
    owed: 0,
  }));
  let timer: NodeJS.Timeout | null = null;
  let lastMs = startedMs;
  let reachedMs = 0;
  let historyEnded = false;
  let incidentSecond = -1;
  let incidentNumber = -1;
  let stopped = false;
  let settle: (result: { flows: number } | Promise<{ flows: number }>) => void = () => undefined;
  const history = new Promise<{ flows: number }>((resolve) => (settle = resolve));

  async function start(): Promise<void> {
    for (const { running } of speakers) await running.start();
    lastMs = deps.now();
    timer = setInterval(tick, TICK_MS);
    settle(
      fillHistory().catch((error: Error) => {
        deps.log(`The history could not be filled in: ${error.message}`);
        return { flows: 0 };
      }),
    );
  }

  function tick(): void {
    const nowMs = deps.now();
    const elapsed = Math.min(LONGEST_TICK_MS, Math.max(0, nowMs - lastMs));
    lastMs = nowMs;
    for (const speaker of speakers) {
      const wanted = speaker.owed + ((config.flows_per_second * speaker.share * rhythm(nowMs)) / 2) * (elapsed / 1000);
      const count = Math.floor(wanted);
      speaker.owed = wanted - count;
      const flows: DemoFlow[] = [];
      for (let i = 0; i < count; i++)
        flows.push(...speaker.source.conversation(Math.floor(nowMs - random.next() * elapsed), speaker.volume));
      // Without flows, too: templates and interface counters are due at their own times.
      void speaker.running.send(flows, nowMs);
    }
    playIncident(nowMs);
    if (historyEnded && nowMs - reachedMs >= REACHED_MS) {
      reachedMs = nowMs;
      deps.history?.reached(nowMs);
    }
  }

  /** Every few minutes, for a minute, one of the incidents in turn. */
  function playIncident(nowMs: number): void {
    const every = config.incident_minutes * 60_000;
    const since = nowMs - startedMs - every / 2;
    if (since < 0 || since % every >= INCIDENT_MS) return;
    const second = Math.floor(since / 1000);
    if (second === incidentSecond) return;
    incidentSecond = second;
    const number = Math.floor(since / every);
    const incident = INCIDENTS[number % INCIDENTS.length] as Incident;
    const speaker = speakers.find(({ running }) => running.exporter.name === incident.exporter) as Speaker;
    if (number !== incidentNumber) deps.incident?.(incident);
    incidentNumber = number;
    void speaker.running.send(incident.flows(speaker.running.exporter, random, nowMs), nowMs);
  }

  async function fillHistory(): Promise<{ flows: number }> {
    const filling = deps.history;
    if (!filling) return { flows: 0 };
    const denseMs = startedMs - config.history_hours * HOUR_MS;
    const oldestMs = denseMs - config.history_days * 24 * HOUR_MS;
    const begunMs = deps.now();
    const { keep, reached } = filling;
    const common = { keep, reached, stopped: () => stopped };
    const before =
      filling.untilMs < denseMs
        ? await sendHistory(config, {
            ...common,
            fromMs: Math.max(filling.untilMs, oldestMs),
            toMs: denseMs,
            sparse: true,
          })
        : { flows: 0 };
    const fromMs = Math.max(filling.untilMs, denseMs);
    const dense = await sendHistory(config, { ...common, fromMs, toMs: startedMs });
    const flows = before.flows + dense.flows;
    await filling.end();
    if (stopped) return { flows };
    historyEnded = true;
    const minutes = Math.ceil((startedMs - Math.max(filling.untilMs, oldestMs)) / 60_000);
    const length =
      minutes >= 2880
        ? `${Math.round(minutes / 1440)} days`
        : minutes >= 60
          ? `${Math.round(minutes / 60)} h`
          : `${minutes} min`;
    deps.log(`Filled in the last ${length}: ${flows} flow records in ${Math.ceil((deps.now() - begunMs) / 1000)} s`);
    return { flows };
  }

  async function stop(): Promise<void> {
    if (timer) clearInterval(timer);
    if (historyEnded && !stopped) deps.history?.reached(deps.now());
    stopped = true;
    if (timer) await history;
    await Promise.all(speakers.map(({ running }) => running.stop()));
  }

  function status() {
    return speakers.map(({ running }) => ({
      name: running.exporter.name,
      address: running.exporter.address,
      datagrams: running.counts().datagrams,
      flows: running.counts().flows,
    }));
  }

  return { start, history, status, stop };
}
