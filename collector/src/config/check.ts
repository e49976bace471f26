import { parseAddress, parseFilter, parsePrefix, parseService } from '@ringflow/contract';
import type { Config } from './compose.ts';
import type { ConfigProblem } from './load.ts';

/** Problems that a schema cannot see. `origins` says where a key was written. */
export function checkConfig(config: Config, origins: ReadonlyMap<string, string>): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const report = (key: string, message: string, hint: string): void => {
    const [source = 'ringflow.yml', line] = (origins.get(key) ?? 'defaults').split(/:(?=\d+$)/);
    problems.push({ key, source, message, hint, ...(line === undefined ? {} : { line: Number(line) }) });
  };
  for (const listen of config.inlet.listen) {
    const port = Number(/(\d+)$/.exec(listen)?.[1]);
    if (!(port <= 65_535)) report('inlet.listen', `"${listen}" has no valid port`, 'Write a port from 1 to 65535');
  }
  for (const [name, texts] of Object.entries(config.metrics.services)) {
    for (const text of texts) {
      if (parseService(text).length === 0)
        report(
          'metrics.services',
          `"${text}" of ${name} is no service`,
          'Write a protocol and a port (tcp/443), a registered name (https) or a protocol (gre)',
        );
    }
  }
  for (const [name, filter] of Object.entries(config.metrics.watches)) {
    const { error } = parseFilter(filter, { sets: config.names.sets });
    if (error)
      report(
        'metrics.watches',
        `The filter of ${name} is wrong at character ${error.position.offset + 1}: ${error.message}`,
        error.hint ?? 'Try it with "ringflow query"',
      );
  }
  for (const address of [...Object.keys(config.names.exporters), ...Object.keys(config.names.interfaces)]) {
    if (!parseAddress(address)) report('names', `"${address}" is not an address`, 'Write an IPv4 or IPv6 address');
  }
  for (const network of config.inlet.allow_exporters) {
    if (!parsePrefix(network))
      report('inlet.allow_exporters', `"${network}" is not a network`, 'Write for example 10.0.0.0/8 or 2001:db8::/32');
  }
  return problems;
}
