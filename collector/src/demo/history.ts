import type { DemoConfig } from './config.ts';
import type { Deliver } from './exporter.ts';
import type { DemoFlow } from './flow.ts';
import { INCIDENTS, INCIDENT_MS } from './incidents.ts';
import { rhythm } from './network.ts';
import { createRandom } from './random.ts';
import { createSpeakers } from './speaker.ts';

export interface HistoryOptions {
  /** Milliseconds since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Takes each datagram, with the time of then: what it says is decoded as if it had been received then. */
  readonly keep: Deliver;
  /** Told after each minute: everything before is done. */
  readonly reached: (untilMs: number) => void;
  readonly stopped: () => boolean;
  /** Weeks ago: flows come every ten minutes, few and large, and nothing happens. Default: false. */
  readonly sparse?: boolean;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Of sparse history: four weeks of it are half a million flows. */
const SPARSE_STEP_MS = 10 * MINUTE_MS;
const SPARSE_FLOWS_PER_MINUTE = 12;
/** One incident an hour, at this time of it: as many as there are live ones would be most of the history's flows. */
const INCIDENT_AT_MS = 20 * MINUTE_MS;
/** Datagrams of a minute go out in so many portions, as exporters do it, and not all at its end. */
const PORTIONS = 6;

/**
 * What the exporters would have sent from one time to another, minute by minute: fewer flows than live ones, each as
 * much larger, so that the lines go on without a step.
 */
export async function sendHistory(config: DemoConfig, options: HistoryOptions): Promise<{ flows: number }> {
  const { fromMs, toMs, keep, reached, stopped, sparse = false } = options;
  const wanted = sparse ? SPARSE_FLOWS_PER_MINUTE : config.history_flows_per_minute;
  const stepMs = sparse ? SPARSE_STEP_MS : MINUTE_MS;
  const growth = Math.max(1, (config.flows_per_second * 60) / wanted);
  const perMinute = Math.min(wanted, config.flows_per_second * 60);
  // Not the live traffic's numbers over again.
  const random = createRandom(config.seed + 1);
  const speakers = createSpeakers(keep, random, fromMs, growth);
  for (let minuteMs = fromMs; minuteMs < toMs && !stopped(); minuteMs += stepMs) {
    const lengthMs = Math.min(stepMs, toMs - minuteMs) / PORTIONS;
    for (const { running, source, share, volume } of speakers) {
      const count = ((perMinute * share * rhythm(minuteMs)) / 2) * (lengthMs / MINUTE_MS);
      for (let portion = 0; portion < PORTIONS; portion++) {
        const beginMs = minuteMs + portion * lengthMs;
        const flows: DemoFlow[] = [];
        const whole = Math.floor(count + random.next());
        for (let i = 0; i < whole; i++)
          flows.push(...source.conversation(Math.floor(beginMs + random.next() * lengthMs), volume));
        await running.send(flows, Math.floor(beginMs + lengthMs));
      }
    }
    const sinceHourMs = minuteMs % HOUR_MS;
    if (!sparse && sinceHourMs >= INCIDENT_AT_MS && sinceHourMs < INCIDENT_AT_MS + MINUTE_MS)
      await sendIncident(minuteMs);
    reached(minuteMs + lengthMs * PORTIONS);
    // Others want their turn, too.
    await new Promise((resolve) => setImmediate(resolve));
  }

  async function sendIncident(beginMs: number): Promise<void> {
    const incident = INCIDENTS[Math.floor(beginMs / HOUR_MS) % INCIDENTS.length] as (typeof INCIDENTS)[number];
    const speaker = speakers.find(({ running }) => running.exporter.name === incident.exporter);
    if (!speaker) return;
    for (let ms = 1000; ms <= INCIDENT_MS && beginMs + ms <= toMs; ms += 1000) {
      const flows = incident.flows(speaker.running.exporter, random, beginMs + ms);
      await speaker.running.send(flows, beginMs + ms);
    }
  }

  return { flows: speakers.reduce((sum, { running }) => sum + running.counts().flows, 0) };
}
