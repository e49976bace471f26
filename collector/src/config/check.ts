import { parseAddress, parseFilter, parsePrefix, parseService } from '@ringflow/contract';
import { ruleProblems, type ClassifyRule } from '../names/config.ts';
import { isNetworkName } from '../enrich/config.ts';
import type { Config } from './compose.ts';
import type { ConfigProblem } from './load.ts';

type Report = (message: string, hint: string) => void;

/** One thing that a schema cannot see, about one setting. */
interface Rule {
  readonly key: string;
  check(config: Config, report: Report): void;
}

const RULES: readonly Rule[] = [
  {
    key: 'inlet.listen',
    check: ({ inlet }, report) => {
      for (const listen of inlet.listen) {
        if (Number(/(\d+)$/.exec(listen)?.[1]) > 65_535)
          report(`"${listen}" has no valid port`, 'Write a port from 1 to 65535');
      }
    },
  },
  {
    key: 'inlet.allow_exporters',
    check: ({ inlet }, report) => networks(inlet.allow_exporters, report),
  },
  {
    key: 'enrich.sampling.override',
    check: ({ enrich }, report) => networks(Object.keys(enrich.sampling.override), report),
  },
  {
    key: 'enrich.endpoints',
    check: ({ enrich }, report) => {
      for (const text of Object.keys(enrich.endpoints)) {
        const [, ipv6, ipv4, port] =
          /^(?:\[(.+)\]|([^[\]:]+)):([0-9]{1,5})\/(?:tcp|udp|sctp|dccp|udplite)$/.exec(text) ?? [];
        if (!parseAddress(ipv6 ?? ipv4 ?? '') || !(Number(port) >= 1 && Number(port) <= 65_535))
          report(`"${text}" is not an endpoint`, 'Write for example 192.0.2.10:8443/tcp or [2001:db8::1]:53/udp');
      }
    },
  },
  {
    key: 'enrich.applications',
    check: ({ enrich }, report) => {
      for (const { name, prefixes, as, ports } of enrich.applications) {
        if (!prefixes && !as) report(`Nothing says where "${name}" is served`, 'Write prefixes, or as');
        networks(prefixes ?? [], report);
        portRanges(ports ?? [], report);
      }
    },
  },
  { key: 'enrich.service.ports', check: ({ enrich }, report) => portRanges(enrich.service.ports, report) },
  { key: 'enrich.duplicates.priority', check: ({ enrich }, report) => networks(enrich.duplicates.priority, report) },
  { key: 'enrich.own', check: ({ enrich }, report) => networks(enrich.own, report) },
  { key: 'enrich.private_ranges', check: ({ enrich }, report) => networks(enrich.private_ranges, report) },
  {
    key: 'enrich.networks',
    check: ({ enrich }, report) => {
      for (const [name, network] of Object.entries(enrich.networks)) {
        if (!isNetworkName(name))
          report(`"${name}" cannot be the name of a network`, 'Leave out commas and spaces at its ends');
        networks('prefixes' in network ? network.prefixes : network, report);
      }
    },
  },
  {
    key: 'enrich.anonymize.rules',
    check: ({ enrich }, report) => {
      for (const { networks: which, method, key_file } of enrich.anonymize.rules) {
        if (typeof which !== 'string') networks(which, report);
        if (method === 'cryptopan' && key_file === undefined)
          report('The method cryptopan needs a key', 'Write key_file: anonymize.key, made with "openssl rand -hex 32"');
      }
    },
  },
  {
    key: 'http.ingest.token',
    check: ({ http: { ingest } }, report) => {
      if (ingest.enabled && ingest.token === '')
        report('Records would be taken from anybody: http.ingest.token is empty', 'Set http.ingest.token');
    },
  },
  {
    key: 'metrics.services',
    check: ({ metrics }, report) => {
      for (const [name, texts] of Object.entries(metrics.services)) {
        for (const text of texts) {
          if (parseService(text).length > 0) continue;
          report(
            `"${text}" of ${name} is no service`,
            'Write a protocol and a port (tcp/443), a registered name (https) or a protocol (gre)',
          );
        }
      }
    },
  },
  {
    key: 'metrics.watches',
    check: ({ metrics, names }, report) => {
      for (const [name, filter] of Object.entries(metrics.watches)) {
        const { error } = parseFilter(filter, { sets: names.sets });
        if (!error) continue;
        const place = `character ${error.position.offset + 1}`;
        report(
          `The filter of ${name} is wrong at ${place}: ${error.message}`,
          error.hint ?? 'Try it with "ringflow query"',
        );
      }
    },
  },
  {
    key: 'http.tls.cert',
    check: ({ http: { tls } }, report) => {
      if (tls.cert !== '' && tls.key === '') report('A certificate needs its key', 'Write http.tls.key, too');
    },
  },
  {
    key: 'http.tls.key',
    check: ({ http: { tls } }, report) => {
      if (tls.key !== '' && tls.cert === '') report('A key needs its certificate', 'Write http.tls.cert, too');
    },
  },
  {
    key: 'http.tls.client_ca',
    check: ({ http: { tls } }, report) => {
      if (tls.client_ca !== '' && tls.cert === '')
        report('Callers can only be asked for a certificate over TLS', 'Write http.tls.cert and http.tls.key, too');
    },
  },
  { key: 'names.classify.exporters', check: ({ names }, report) => rules(names.classify.exporters, report) },
  { key: 'names.classify.interfaces', check: ({ names }, report) => rules(names.classify.interfaces, report) },
  { key: 'names.exporters', check: ({ names }, report) => addresses(Object.keys(names.exporters), report) },
  { key: 'names.interfaces', check: ({ names }, report) => addresses(Object.keys(names.interfaces), report) },
];

function rules(list: readonly ClassifyRule[], report: Report): void {
  list.forEach((rule, at) => {
    for (const [place, message] of ruleProblems(rule))
      report(`[${at}].${place}: ${message}`, 'Try it with "ringflow classify"');
  });
}

function networks(texts: readonly string[], report: Report): void {
  for (const text of texts) {
    if (!parsePrefix(text)) report(`"${text}" is not a network`, 'Write for example 10.0.0.0/8 or 2001:db8::/32');
  }
}

/** The schema has seen to their form. */
function portRanges(texts: readonly string[], report: Report): void {
  for (const text of texts) {
    const [from, to] = (text.split('/')[1] ?? '').split('-').map(Number) as [number, number | undefined];
    if (!(from >= 1 && (to ?? from) >= from && (to ?? from) <= 65_535))
      report(`"${text}" is no port`, 'Write a port from 1 to 65535, or a range such as udp/5000-5010');
  }
}

function addresses(texts: readonly string[], report: Report): void {
  for (const text of texts) {
    if (!parseAddress(text)) report(`"${text}" is not an address`, 'Write an IPv4 or IPv6 address');
  }
}

/**
 * Problems that a schema cannot see. Settings with a problem of their own are left out: their shape may be wrong.
 *
 * @param origins where a key was written
 */
export function checkConfig(
  config: Config,
  origins: ReadonlyMap<string, string>,
  known: readonly ConfigProblem[],
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const isBroken = (section: string): boolean =>
    known.some(({ key }) => key === '' || key === section || key.startsWith(`${section}.`));
  for (const { key, check } of RULES) {
    if (isBroken(key.split('.')[0] as string)) continue;
    const [source = 'ringflow.yml', line] = (origins.get(key) ?? 'defaults').split(/:(?=\d+$)/);
    check(config, (message, hint) =>
      problems.push({ key, source, message, hint, ...(line === undefined ? {} : { line: Number(line) }) }),
    );
  }
  return problems;
}
