import { createExporter, type Deliver, type ExporterTarget, type RunningExporter } from './exporter.ts';
import { createFlowSource, EXPORTERS, type DemoExporter, type FlowSource } from './network.ts';
import type { Random } from './random.ts';

/** An exporter at work, and where its traffic comes from. */
export interface Speaker {
  readonly running: RunningExporter;
  readonly source: FlowSource;
  /** Part of all conversations. */
  readonly share: number;
  /** Factor on the size of conversations. */
  readonly volume: number;
}

/** Sampled exporters count one packet in N; their conversations are made smaller so that links stay below their speed. */
const SAMPLED_VOLUME = 0.05;

/**
 * All exporters of the network.
 *
 * @param growth how much traffic one flow stands for: larger flows, and for sFlow, whose samples are single packets,
 *   a higher sampling rate
 */
export function createSpeakers(
  target: ExporterTarget | Deliver,
  random: Random,
  startedMs: number,
  growth = 1,
): Speaker[] {
  const weights = EXPORTERS.reduce((sum, { weight }) => sum + weight, 0);
  return EXPORTERS.map((exporter) => {
    // A sample is one packet of a flow: its size says nothing about how much there is.
    const ofPackets = exporter.protocol === 'sflow';
    return {
      running: createExporter(ofPackets ? sampledMore(exporter, growth) : exporter, target, startedMs),
      source: createFlowSource(exporter, random),
      share: exporter.weight / weights,
      volume: ofPackets ? 1 : (exporter.sampling > 1 ? SAMPLED_VOLUME : 1) * growth,
    };
  });
}

function sampledMore(exporter: DemoExporter, growth: number): DemoExporter {
  return { ...exporter, sampling: Math.round(exporter.sampling * growth) };
}
