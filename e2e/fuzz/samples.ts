import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createFlowSource,
  createRandom,
  encodeIpfix,
  encodeIpfixTemplates,
  encodeNetflow5,
  encodeNetflow9,
  encodeNetflow9Templates,
  encodeSflow,
  addressOf,
  EXPORTERS,
  type DemoExporter,
} from '../../collector/src/demo/index.ts';
import { readPcap } from '../../collector/src/wire/index.ts';

/** Datagrams of one exporter, in the order in which it sent them: templates come before what needs them. */
export interface Sample {
  readonly name: string;
  readonly payloads: readonly Uint8Array[];
}

/** Payloads of the captures (a directory with `pcap/`), none when it is not there. */
export function captureSamples(directory: string): Sample[] {
  const folder = join(directory, 'pcap');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.pcap'))
    .sort()
    .flatMap((name): Sample[] => {
      const file = new Uint8Array(readFileSync(join(folder, name)));
      const payloads = [...readPcap(file)].map(({ payload }) => payload.slice());
      return payloads.length > 0 ? [{ name, payloads }] : [];
    });
}

/** What the demo's encoders make: there on every machine. */
export function encoderSamples(seed: number, nowMs: number): Sample[] {
  const random = createRandom(seed);
  return EXPORTERS.map((exporter): Sample => {
    const source = createFlowSource(exporter, random);
    const payloads = templatesOf(exporter, nowMs);
    for (let i = 0; i < 20; i++) {
      const flows = Array.from({ length: 6 }, () => source.conversation(nowMs))
        .flat()
        .filter((flow) => exporter.protocol !== 'netflow5' || flow.src.length === 4);
      payloads.push(encode(exporter, flows.slice(0, 12), nowMs, i + 1));
    }
    return { name: exporter.name, payloads };
  });
}

const UPTIME_MS = 86_400_000;

function templatesOf({ protocol, sampling, interfaces }: DemoExporter, unixMs: number): Uint8Array[] {
  if (protocol === 'netflow9')
    return [encodeNetflow9Templates({ unixMs, uptimeMs: UPTIME_MS, sequence: 0, sourceId: 1 }, sampling, interfaces)];
  return protocol === 'ipfix' ? [encodeIpfixTemplates({ unixMs, sequence: 0, domain: 7 }, sampling, interfaces)] : [];
}

function encode(
  exporter: DemoExporter,
  flows: Parameters<typeof encodeNetflow5>[1],
  unixMs: number,
  sequence: number,
): Uint8Array {
  switch (exporter.protocol) {
    case 'netflow5':
      return encodeNetflow5(
        { unixMs, uptimeMs: UPTIME_MS, sequence, engineType: 0, engineId: 1, sampling: exporter.sampling },
        flows,
      );
    case 'netflow9':
      return encodeNetflow9({ unixMs, uptimeMs: UPTIME_MS, sequence, sourceId: 1 }, flows);
    case 'ipfix':
      return encodeIpfix({ unixMs, sequence, domain: 7 }, flows);
    case 'sflow':
      return encodeSflow(
        { agent: addressOf(exporter.address), subAgent: 0, sequence, uptimeMs: UPTIME_MS },
        flows.map((flow) => ({ sequence, pool: sequence, rate: exporter.sampling, frameBytes: 200, flow })),
      );
  }
}
