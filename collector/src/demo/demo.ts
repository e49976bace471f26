import type { DemoConfig } from './config.ts';
import { createExporter, type ExporterTarget, type RunningExporter } from './exporter.ts';
import type { DemoFlow } from './flow.ts';
import { INCIDENTS, INCIDENT_MS } from './incidents.ts';
import { createFlowSource, EXPORTERS, rhythm, type FlowSource } from './network.ts';
import { createRandom, type Random } from './random.ts';

export interface DemoDeps {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told what goes on, for people. */
  readonly log: (message: string) => void;
}

export interface Demo {
  /** Opens the sockets and begins with the live traffic; the history follows in the background. */
  start(): Promise<void>;
  /** Resolves when the history has been sent. */
  readonly history: Promise<void>;
  status(): readonly { name: string; address: string; datagrams: number; flows: number }[];
  stop(): Promise<void>;
}

const TICK_MS = 250;
/** Records sent before the sender lets the others run. */
const HISTORY_CHUNK_MS = 60_000;
const HISTORY_PAUSE_MS = 4;
/** A flow may have begun a day before it is exported, not more (protocols C04): the history ends just inside. */
const HISTORY_MARGIN = 0.995;
/** Sampled exporters count one packet in N; their conversations are made smaller so that links stay below their speed. */
const SAMPLED_VOLUME = 0.05;

interface Speaker {
  readonly running: RunningExporter;
  readonly source: FlowSource;
  readonly share: number;
  readonly volume: number;
  /** Conversations owed by earlier ticks, below one. */
  owed: number;
}

/** The synthetic network: real datagrams from several exporters to the collector's UDP ports. */
export function createDemo(config: DemoConfig, target: ExporterTarget, deps: DemoDeps): Demo {
  const random: Random = createRandom(config.seed);
  const startedMs = deps.now();
  const speakers: Speaker[] = EXPORTERS.map((exporter) => ({
    running: createExporter(exporter, target, startedMs),
    source: createFlowSource(exporter, random),
    share: exporter.weight / EXPORTERS.reduce((sum, { weight }) => sum + weight, 0),
    volume: exporter.sampling > 1 ? SAMPLED_VOLUME : 1,
    owed: 0,
  }));
  let timer: NodeJS.Timeout | null = null;
  let lastMs = startedMs;
  let incidentSecond = -1;
  let incidentName = '';
  let stopped = false;
  let historyDone: () => void = () => undefined;
  const history = new Promise<void>((resolve) => (historyDone = resolve));

  async function start(): Promise<void> {
    for (const { running } of speakers) await running.start();
    lastMs = deps.now();
    timer = setInterval(tick, TICK_MS);
    void sendHistory().finally(historyDone);
  }

  function tick(): void {
    const nowMs = deps.now();
    const elapsed = Math.min(1000, Math.max(0, nowMs - lastMs));
    lastMs = nowMs;
    for (const speaker of speakers) {
      const wanted = speaker.owed + ((config.flows_per_second * speaker.share * rhythm(nowMs)) / 2) * (elapsed / 1000);
      const count = Math.floor(wanted);
      speaker.owed = wanted - count;
      const flows: DemoFlow[] = [];
      for (let i = 0; i < count; i++)
        flows.push(...speaker.source.conversation(nowMs - random.between(0, elapsed), speaker.volume));
      if (flows.length > 0 || speaker.running.exporter.protocol !== 'netflow5') void speaker.running.send(flows, nowMs);
    }
    playIncident(nowMs);
  }

  /** Every few minutes, for a minute, one of the incidents in turn. */
  function playIncident(nowMs: number): void {
    const every = config.incident_minutes * 60_000;
    const since = nowMs - startedMs;
    if (since < every / 2 || (since - every / 2) % every >= INCIDENT_MS) return;
    const second = Math.floor(since / 1000);
    if (second === incidentSecond) return;
    incidentSecond = second;
    const incident = INCIDENTS[
      Math.floor((since - every / 2) / every) % INCIDENTS.length
    ] as (typeof INCIDENTS)[number];
    const speaker = speakers.find(({ running }) => running.exporter.name === incident.exporter) as Speaker;
    if (incident.name !== incidentName) deps.log(`Incident at ${incident.exporter}: ${incident.name}`);
    incidentName = incident.name;
    void speaker.running.send(incident.flows(speaker.running.exporter, random, nowMs), nowMs);
  }

  /**
   * History is sent as any exporter would send flows that it kept for long: in datagrams of today, with the flows' own
   * times. sFlow has no flow times (C14), so its exporter has no history.
   */
  async function sendHistory(): Promise<void> {
    const hours = config.history_hours;
    if (hours === 0) return;
    const beginMs = startedMs - hours * 3_600_000 * HISTORY_MARGIN;
    const timed = speakers.filter(({ running }) => running.exporter.protocol !== 'sflow');
    const shares = timed.reduce((sum, { share }) => sum + share, 0);
    // Fewer flows than live ones, each as much larger, so that the lines go on without a step.
    const growth = Math.max(1, (config.flows_per_second * 60) / config.history_flows_per_minute);
    // The latest first: the last hour is what people look at first.
    for (let minuteMs = startedMs - HISTORY_CHUNK_MS; minuteMs >= beginMs && !stopped; minuteMs -= HISTORY_CHUNK_MS) {
      for (const { running, source, share, volume } of timed) {
        const count = Math.round(((config.history_flows_per_minute * share) / shares / 2) * rhythm(minuteMs));
        const flows: DemoFlow[] = [];
        for (let i = 0; i < count; i++)
          flows.push(...source.conversation(minuteMs + random.between(0, 59_999), volume * growth));
        await running.send(flows, deps.now());
      }
      await new Promise((resolve) => setTimeout(resolve, HISTORY_PAUSE_MS));
    }
    if (!stopped) deps.log(`Sent ${hours} h of history`);
  }

  async function stop(): Promise<void> {
    stopped = true;
    if (timer) clearInterval(timer);
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
