import { hintFor } from '../client.ts';
import type { Check, Finding } from './checks.ts';
import { count } from './words.ts';

/** The configuration, the collector, its processes. */
export const ENVIRONMENT_CHECKS: readonly Check[] = [
  {
    id: 'config',
    title: 'Configuration',
    find: ({ configProblems: [first, ...more], configFile }) =>
      first
        ? [
            {
              status: 'fail',
              message: `${[first.source, first.line].filter((part) => part !== undefined).join(':')}: ${first.key ? `${first.key}: ` : ''}${first.message}${more.length > 0 ? `, and ${count(more.length, 'other problem')}` : ''}`,
              mend: first.hint ?? 'Run "ringflow check" to see all problems',
            },
          ]
        : [
            {
              status: 'ok',
              message: configFile === undefined ? 'No ringflow.yml here: defaults' : `${configFile} has no problems`,
            },
          ],
  },
  {
    id: 'collector',
    title: 'Collector',
    find: ({ url, collector, refusal, host }) => {
      if (collector) return [{ status: 'ok', message: `Version ${collector.status.version} answers at ${url}` }];
      const message = `No collector answers at ${url}: ${refusal?.message ?? 'no reason known'}`;
      if (refusal?.kind === 'unauthorized')
        return [
          {
            status: 'fail',
            message: `The collector at ${url} asks for a token`,
            mend: 'Give it with --token or RINGFLOW_TOKEN',
          },
        ];
      if (refusal?.kind === 'stranger')
        return [
          {
            status: 'fail',
            message: `At ${url} ${refusal.message}`,
            mend: 'Name the collector with --url, or stop that program',
          },
        ];
      if (refusal?.kind === 'error') return [{ status: 'fail', message, mend: 'Look at the log of the collector' }];
      if (refusal?.kind === 'untrusted')
        return [
          {
            status: 'fail',
            message: `The collector at ${url} is not talked to: ${refusal.message}`,
            mend: hintFor(refusal.message),
          },
        ];
      return [
        {
          status: 'fail',
          message,
          mend: host?.mainPid
            ? `Look at the log of process ${host.mainPid}, which works in the data directory; if it listens elsewhere, name it with --url`
            : 'Start one with "ringflow serve", or name another with --url',
        },
      ];
    },
  },
  {
    id: 'processes',
    title: 'Processes',
    find: ({ collector }) => {
      if (!collector) return [];
      const processes = collector.status.details.processes ?? [];
      const findings = processes.flatMap(({ role, state, restarts, error }): Finding[] => {
        if (state !== 'up')
          return [
            {
              status: 'fail',
              message: `The process ${role} is ${state}${error ? `: ${error}` : ''}`,
              mend: 'Look at the log of the collector; it starts the process again by itself',
            },
          ];
        if (restarts === 0) return [];
        return [
          {
            status: 'warn',
            message: `The process ${role} died and was started again ${count(restarts, 'time')}`,
            mend: 'Look for the reason in the log of the collector, or in that of the kernel (out of memory)',
          },
        ];
      });
      return findings.length > 0
        ? findings
        : [{ status: 'ok', message: `${processes.map(({ role }) => role).join(' and ')} are up` }];
    },
  },
];
