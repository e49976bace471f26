import { parseAddress, parseFilter, parsePrefix, parseService } from '@ringflow/contract';
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
  { key: 'names.exporters', check: ({ names }, report) => addresses(Object.keys(names.exporters), report) },
  { key: 'names.interfaces', check: ({ names }, report) => addresses(Object.keys(names.interfaces), report) },
];

function networks(texts: readonly string[], report: Report): void {
  for (const text of texts) {
    if (!parsePrefix(text)) report(`"${text}" is not a network`, 'Write for example 10.0.0.0/8 or 2001:db8::/32');
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
