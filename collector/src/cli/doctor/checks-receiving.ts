import type { Check, Finding } from './checks.ts';
import type { DoctorFacts, PortTrial } from './facts.ts';
import { holdsPort } from './firewall.ts';
import { count, size, some } from './words.ts';

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

/** UDP ports that the collector has, or would have. */
function portsOf({ collector, host }: DoctorFacts): number[] {
  const ports = collector
    ? (collector.status.details.listeners ?? []).map(({ port }) => port)
    : (host?.trials ?? []).filter(({ what }) => what === 'UDP').map(({ port }) => port);
  return [...new Set(ports)];
}

const REFUSALS: Readonly<Record<string, (trial: PortTrial) => Finding>> = {
  EADDRINUSE: ({ what, endpoint, port, holder }) => ({
    status: 'fail',
    message: `${what} ${endpoint} is taken by ${holder ?? 'another program'}`,
    mend: holder
      ? `Stop it, or set ${keyOf(what)} to another port`
      : `Find it with "ss -${what === 'UDP' ? 'u' : 't'}lnp sport = :${port}" as root and stop it, or set ${keyOf(what)} to another port`,
  }),
  EACCES: ({ what, endpoint }) => ({
    status: 'fail',
    message: `${what} ${endpoint} may not be opened by this user`,
    mend: `Set ${keyOf(what)} to a port above 1023, or give the program CAP_NET_BIND_SERVICE`,
  }),
  EADDRNOTAVAIL: ({ what, endpoint }) => ({
    status: 'fail',
    message: `This machine has no address as in ${what} ${endpoint}`,
    mend: `Set ${keyOf(what)} to an address of this machine, or to all with [::]`,
  }),
};

const keyOf = (what: PortTrial['what']): string => (what === 'UDP' ? 'inlet.listen' : 'http.port');

/** From the network card to the decoder. */
export const RECEIVING_CHECKS: readonly Check[] = [
  {
    id: 'ports',
    title: 'Ports',
    find: ({ collector, host }) => {
      if (!collector) {
        if (!host) return [];
        const bad = host.trials.flatMap((trial): Finding[] => {
          if (trial.refusal === null) return [];
          const known = REFUSALS[trial.refusal];
          return [
            known?.(trial) ?? {
              status: 'fail',
              message: `${trial.what} ${trial.endpoint} cannot be opened: ${trial.refusal}`,
            },
          ];
        });
        return bad.length > 0
          ? bad
          : [
              {
                status: 'ok',
                message: `${host.trials.map(({ what, endpoint }) => `${what} ${endpoint}`).join(', ')} can be opened`,
              },
            ];
      }
      const listeners = collector.status.details.listeners ?? [];
      if (listeners.length === 0)
        return [
          {
            status: 'fail',
            message: 'The collector has no socket open',
            mend: 'Look at its log, and set inlet.listen',
          },
        ];
      const gone = listeners.filter(({ port }) => host?.openUdpPorts && !host.openUdpPorts.includes(port));
      if (gone.length > 0)
        return [
          {
            status: 'fail',
            message: `UDP ${gone.map(({ port }) => port).join(', ')} is not open on this machine, although the collector says so`,
            mend: 'Run the doctor where the collector runs (in its container or network namespace)',
          },
        ];
      if (listeners.every(({ address }) => isLoopback(address)))
        return [
          {
            status: 'warn',
            message: `It listens on ${some(listeners.map(({ address, port }) => `${address} ${port}`))} only: no other machine can send to it`,
            mend: 'Set inlet.listen to ["[::]:2055"] or to an address of this machine',
          },
        ];
      return [{ status: 'ok', message: `Listening on UDP ${portsOf({ collector, host } as DoctorFacts).join(', ')}` }];
    },
  },
  {
    id: 'firewall',
    title: 'Firewall',
    find: (facts) => {
      const { host, collector } = facts;
      if (!host) return [];
      const ports = portsOf(facts);
      const { state, tool, accepted, dropped } = host.firewall;
      // Datagrams of this machine itself pass every usual firewall.
      const arrives = collector?.exporters.some(({ address }) => !isLoopback(address)) ?? false;
      const allow = `Allow it: nft add rule inet filter input udp dport { ${ports.join(', ')} } accept (or ufw allow, firewall-cmd --add-port)`;
      const shut = ports.filter((port) => holdsPort(dropped, port));
      if (shut.length > 0 && !arrives)
        return [
          { status: 'warn', message: `A rule of the firewall (${tool}) drops UDP ${shut.join(', ')}`, mend: allow },
        ];
      const missing = ports.filter((port) => !holdsPort(accepted, port));
      if (state === 'closed' && missing.length > 0 && !arrives)
        return [
          {
            status: 'warn',
            message: `The firewall (${tool}) drops what no rule accepts, and none names UDP ${missing.join(', ')}`,
            mend: allow,
          },
        ];
      if (arrives) return [{ status: 'ok', message: 'Datagrams from other machines get through' }];
      if (state === 'unreadable')
        return [
          {
            status: 'ok',
            message: `Only root can read the rules of the firewall (${tool}): run the doctor as root to have them looked at`,
          },
        ];
      return [
        {
          status: 'ok',
          message:
            state === 'none'
              ? 'No nft or iptables on this machine; a firewall on the way cannot be seen from here'
              : `No rule of ${tool} is in the way of UDP ${ports.join(', ')}; a firewall on the way cannot be seen from here`,
        },
      ];
    },
  },
  {
    id: 'receive-buffer',
    title: 'Receive buffer',
    find: ({ collector, host, config }) => {
      const limit = (wantedBytes: number): string =>
        `Run "sysctl -w net.core.rmem_max=${wantedBytes}" and keep it in /etc/sysctl.d/, then start the collector again`;
      if (!collector) {
        const wantedBytes = config.inlet.receive_buffer_bytes;
        if (!host || host.receiveBufferLimit === null || host.isRoot) return [];
        return host.receiveBufferLimit < wantedBytes
          ? [
              {
                status: 'warn',
                message: `The kernel gives no more than ${size(host.receiveBufferLimit)} of ${size(wantedBytes)}: bursts may be lost`,
                mend: limit(wantedBytes),
              },
            ]
          : [{ status: 'ok', message: `The kernel gives the ${size(wantedBytes)} that are asked for` }];
      }
      const listeners = collector.status.details.listeners ?? [];
      const short = listeners.find(({ grantedBytes, requestedBytes }) => grantedBytes < requestedBytes);
      if (short)
        return [
          {
            status: 'warn',
            message: `The kernel gave ${size(short.grantedBytes)} of ${size(short.requestedBytes)}: bursts may be lost`,
            mend: limit(short.requestedBytes),
          },
        ];
      return listeners[0]
        ? [{ status: 'ok', message: `${size(listeners[0].grantedBytes)} a socket, as asked for` }]
        : [];
    },
  },
  {
    id: 'kernel-drops',
    title: 'Kernel drops',
    find: ({ collector }) => {
      if (!collector) return [];
      const listeners = collector.status.details.listeners ?? [];
      const drops = listeners.reduce((sum, { kernelDrops }) => sum + kernelDrops, 0);
      if (drops === 0) return [{ status: 'ok', message: 'None since the collector started' }];
      return [
        {
          status: 'warn',
          message: `The kernel dropped ${count(drops, 'datagram')} since the collector started, because the receive buffer was full`,
          mend: 'Raise inlet.receive_buffer_bytes and net.core.rmem_max, or give the inlet a faster processor',
        },
      ];
    },
  },
  {
    id: 'allow-list',
    title: 'Allow-list',
    find: ({ collector }) => {
      if (!collector) return [];
      const { refused = {}, notAllowed = [] } = collector.status.details;
      const strangers = refused['not_allowed'] ?? 0;
      const flood = refused['new_source_rate'] ?? 0;
      const findings: Finding[] = [];
      if (strangers > 0)
        findings.push({
          // Nobody else sends: this is why nothing is seen.
          status: collector.exporters.length === 0 ? 'fail' : 'warn',
          message: `${count(strangers, 'datagram')} from ${some(notAllowed)} refused: not in inlet.allow_exporters`,
          mend: 'Add their networks to inlet.allow_exporters if they are yours, and start the collector again',
        });
      if (flood > 0)
        findings.push({
          status: 'warn',
          message: `${count(flood, 'datagram')} refused, because more new senders came within a second than inlet.limits.new_sources_per_second`,
          mend: 'Set inlet.allow_exporters, so that spoofed senders are refused first',
        });
      return findings.length > 0 ? findings : [{ status: 'ok', message: 'No sender was refused' }];
    },
  },
];
