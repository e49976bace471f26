import type { ExporterInfo } from '@ringflow/contract';
import type { Check, Finding } from './checks.ts';
import { count, some, span, words } from './words.ts';

/** A clock further off than this puts flows into the wrong minute. */
const CLOCK_MS = 10_000;
const TEMPLATED = ['NETFLOW_V9', 'IPFIX'];
const UNRECOGNISED = ['unknown_protocol', 'unsupported_version'];
/** Have checks of their own. */
const ELSEWHERE = [...UNRECOGNISED, 'template_missing', 'template_withdrawal', 'parked_expired', 'limit_parked_bytes'];
/** Docker's default bridges, and the usual gateways of virtual networks. */
const BRIDGE = /^172\.(1[6-9]|2[0-9]|3[01])\.[0-9]+\.1$|^192\.168\.(65|122)\.1$|^10\.(88|0)\.[0-9]+\.1$/;

const called = ({ name, address }: ExporterInfo): string => (name === '' ? address : `${name} (${address})`);
const lossOf = ({ losses }: ExporterInfo, reasons: readonly string[]): number =>
  reasons.reduce((sum, reason) => sum + (losses[reason] ?? 0), 0);
/** Those of whom something was understood. */
const speaking = (exporters: readonly ExporterInfo[]): ExporterInfo[] =>
  exporters.filter(({ protocols }) => protocols.some((protocol) => protocol !== 'FLOWUNKNOWN'));

/** What the exporters send. */
export const EXPORTER_CHECKS: readonly Check[] = [
  {
    id: 'exporters',
    title: 'Exporters',
    find: ({ collector, silentAfterMs }) => {
      if (!collector) return [];
      const { exporters, status } = collector;
      const ports = (status.details.listeners ?? []).map(({ port }) => port);
      const refused = Object.values(status.details.refused ?? {}).some((datagrams) => datagrams > 0);
      if (exporters.length === 0)
        return [
          {
            status: 'fail',
            message: refused
              ? 'All datagrams that came were refused: see the allow-list'
              : `No datagram has come in ${span(status.nowMs - status.startedMs)}`,
            mend: refused
              ? 'Set inlet.allow_exporters'
              : `Check that the routers export to this machine, UDP port ${ports.join(' or ')}; "tcpdump -ni any udp port ${ports[0] ?? 2055}" shows whether anything reaches it`,
          },
        ];
      const silent = exporters.filter(({ lastSeenMs }) => status.nowMs - lastSeenMs > silentAfterMs);
      if (silent.length === 0)
        return [
          {
            status: 'ok',
            message: `${count(exporters.length, 'exporter')}, each heard in the last ${span(silentAfterMs)}`,
          },
        ];
      const list = silent.map((exporter) => `${called(exporter)} for ${span(status.nowMs - exporter.lastSeenMs)}`);
      return [
        {
          status: silent.length === exporters.length ? 'fail' : 'warn',
          message: `${silent.length === exporters.length ? 'Every exporter is' : `${silent.length} of ${count(exporters.length, 'exporter')} ${silent.length === 1 ? 'is' : 'are'}`} silent: ${some(list)}`,
          mend: 'Check that they run, that export is on, and that the way to this machine is open',
        },
      ];
    },
  },
  {
    id: 'protocol',
    title: 'Protocol',
    find: ({ collector }) => {
      if (!collector || collector.exporters.length === 0) return [];
      const odd = collector.exporters.filter((exporter) => lossOf(exporter, UNRECOGNISED) > 0);
      if (odd.length === 0)
        return [{ status: 'ok', message: 'All datagrams are NetFlow v5, v7, v9, IPFIX or sFlow v5' }];
      const number = odd.reduce((sum, exporter) => sum + lossOf(exporter, UNRECOGNISED), 0);
      return [
        {
          status: speaking(collector.exporters).length === 0 ? 'fail' : 'warn',
          message: `${count(number, 'datagram')} from ${some(odd.map(called))} are neither NetFlow v5, v7, v9, IPFIX nor sFlow v5`,
          mend: 'Set one of these formats on the device, or send that traffic (syslog? NetFlow v1 or v8? sFlow v4?) to another port',
        },
      ];
    },
  },
  {
    id: 'templates',
    title: 'Templates',
    find: ({ collector }) => {
      if (!collector) return [];
      const users = collector.exporters.filter(({ protocols }) =>
        protocols.some((protocol) => TEMPLATED.includes(protocol)),
      );
      if (users.length === 0) return [];
      const { parkedSets = 0, expiredTotal = 0, evictedTotal = 0 } = collector.status.decoder;
      // Some data was not understood, and not a single record was: the template never came.
      const without = users.filter((exporter) => lossOf(exporter, ['template_missing']) > 0 && exporter.records === 0);
      if (without.length > 0)
        return [
          {
            status: 'fail',
            message: `${some(without.map(called))} ${without.length === 1 ? 'has' : 'have'} sent data but no template yet, so nothing of it can be read; ${count(parkedSets, 'set')} kept until it comes`,
            mend: 'Wait for the next template (mostly 1 to 30 minutes); set the template timeout on the device to 60 seconds',
          },
        ];
      const lost = expiredTotal + evictedTotal;
      if (lost > 0)
        return [
          {
            status: 'warn',
            message: `${count(lost, 'data set')} given up, because no template came in time`,
            mend: 'Set the template timeout on the devices to 60 seconds, and let templates take the same way as the data',
          },
        ];
      if (parkedSets > 0)
        return [
          {
            status: 'warn',
            message: `${count(parkedSets, 'data set')} wait for a template`,
            mend: 'Wait for the next template; set the template timeout on the devices to 60 seconds',
          },
        ];
      return [
        {
          status: 'ok',
          message: `${count(collector.status.decoder['templates'] ?? 0, 'template')} known, no data waits for one`,
        },
      ];
    },
  },
  {
    id: 'decoding',
    title: 'Decoding',
    find: ({ collector }) => {
      if (!collector || collector.exporters.length === 0) return [];
      const losses = new Map<string, ExporterInfo[]>();
      for (const exporter of collector.exporters) {
        for (const reason of Object.keys(exporter.losses)) {
          if (!ELSEWHERE.includes(reason)) losses.set(reason, [...(losses.get(reason) ?? []), exporter]);
        }
      }
      const findings = [...losses].map(([reason, exporters]): Finding => {
        const number = exporters.reduce((sum, exporter) => sum + lossOf(exporter, [reason]), 0);
        return {
          status: 'warn',
          message: `${words(reason)}: ${count(number, 'time')} from ${some(exporters.map(called))}`,
          mend: 'Record some datagrams with tcpdump and look at them with "ringflow decode"',
        };
      });
      return findings.length > 0
        ? findings
        : [{ status: 'ok', message: 'Everything that was understood could be read' }];
    },
  },
  {
    id: 'sequence',
    title: 'Lost on the way',
    find: ({ collector }) => {
      if (!collector || collector.exporters.length === 0) return [];
      const missing = collector.exporters.filter(({ lost }) => lost > 0);
      if (missing.length === 0) return [{ status: 'ok', message: 'No gap in the sequence numbers' }];
      return [
        {
          status: 'warn',
          message: `Missing by the sequence numbers: ${some(missing.map((exporter) => `${Math.round(exporter.lost).toLocaleString('en')} ${exporter.lostUnits.join('/')} of ${called(exporter)}`))}`,
          mend: 'Look at kernel drops first; if there are none, the network or the device dropped them',
        },
      ];
    },
  },
  {
    id: 'sampling',
    title: 'Sampling',
    find: ({ collector }) => {
      if (!collector) return [];
      const sending = collector.exporters.filter(({ records }) => records > 0);
      const unknown = sending.filter(({ samplingRate }) => samplingRate === 0);
      if (sending.length === 0) return [];
      if (unknown.length === 0)
        return [{ status: 'ok', message: 'Every exporter says its sampling rate, or the configuration does' }];
      return [
        {
          status: 'warn',
          message: `The sampling rate of ${some(unknown.map(called))} is unknown: ${unknown.length === 1 ? 'its' : 'their'} bytes and packets are counted as they come`,
          mend: 'Set enrich.sampling.default (1 when nothing is sampled) or enrich.sampling.override, or have the device send its sampler options',
        },
      ];
    },
  },
  {
    id: 'clock',
    title: 'Clocks',
    find: ({ collector, nowMs, host }) => {
      if (!collector) return [];
      const findings: Finding[] = [];
      const apartMs = collector.status.nowMs - nowMs;
      if (!host && Math.abs(apartMs) > CLOCK_MS)
        findings.push({
          status: 'warn',
          message: `The collector's clock and this machine's are ${span(apartMs)} apart`,
          mend: 'Set both with NTP',
        });
      const dated = collector.exporters.filter(({ clockOffsetMs }) => clockOffsetMs !== null);
      const off = dated.filter(({ clockOffsetMs }) => Math.abs(clockOffsetMs as number) > CLOCK_MS);
      if (off.length > 0) {
        const list = off.map((exporter) => {
          const offsetMs = exporter.clockOffsetMs as number;
          return `${called(exporter)} ${span(offsetMs)} ${offsetMs > 0 ? 'behind' : 'ahead'}`;
        });
        const offsets = off.map(({ clockOffsetMs }) => clockOffsetMs as number);
        // Several devices that agree with each other are right.
        const isOurs =
          off.length > 1 && off.length === dated.length && Math.max(...offsets) - Math.min(...offsets) < CLOCK_MS;
        const limitMs = collector.status.details.limits?.clockMs;
        findings.push({
          status: 'warn',
          message: `${isOurs ? "Every exporter's clock differs by the same: the collector's is probably wrong" : 'Clocks are off'}: ${some(list)}${limitMs === undefined ? '' : `; beyond ${span(limitMs)} the arrival time is used instead`}`,
          mend: isOurs
            ? 'Set the clock of this machine with NTP'
            : 'Set the clocks of the devices with NTP, and their time zone right',
        });
      }
      if (findings.length > 0) return findings;
      return dated.length > 0 ? [{ status: 'ok', message: `No clock is off by more than ${span(CLOCK_MS)}` }] : [];
    },
  },
  {
    id: 'nat',
    title: 'Addresses',
    find: ({ collector, host }) => {
      // An sFlow agent says who it is.
      const bySource = (collector?.exporters ?? []).filter(({ protocols }) =>
        protocols.some((protocol) => protocol !== 'SFLOW_5'),
      );
      const [only, another] = bySource;
      if (!only) return [];
      const isGateway = BRIDGE.test(only.address) || (host?.gateways.includes(only.address) ?? false);
      if (another || !isGateway)
        return [
          { status: 'ok', message: `${count(bySource.length, 'source address')}`.replace('addresss', 'addresses') },
        ];
      return [
        {
          status: 'warn',
          message: `Everything comes from ${only.address}, which looks like the gateway of a container network: all exporters look like one`,
          mend: 'Run the collector with host networking (docker run --network host), so that it sees the real senders',
        },
      ];
    },
  },
];
