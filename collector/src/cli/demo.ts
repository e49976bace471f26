import { join } from 'node:path';
import { readConfig, type Config } from '../config/index.ts';
import { createDemo, EXPORTERS } from '../demo/index.ts';
import { formatProblems } from './check.ts';
import { EXIT, type Arguments, type Io } from './command.ts';
import { createHistory } from './processes/history.ts';
import { formatAddresses, runCollector } from './serve.ts';

/** `ringflow demo`: the collector with an embedded store, and a synthetic network that sends to it. */
export async function run(args: Arguments, io: Io): Promise<number> {
  const { config, problems, origins } = readConfig(args.text('config'));
  if (problems.length > 0) {
    io.err(formatProblems(problems));
    return EXIT.failed;
  }
  const demoConfig = forDemo(config, origins.has('data_dir'));
  return runCollector(demoConfig, {
    started: (addresses) => {
      const port = addresses.listeners[0]?.port as number;
      const options = queryOptions(addresses.url, config.http.token);
      const history = createHistory(demoConfig);
      const demo = createDemo(
        demoConfig.demo,
        { host: '127.0.0.1', port },
        {
          now: Date.now,
          log: (message) => io.err(`  ${message}\n`),
          incident: ({ name, exporter, filter, dimensions }) =>
            io.err(
              `  Incident at ${exporter}: ${name}\n    npx ringflow query${options} "${filter}" -g ${dimensions.join(',')} --from now-10m\n`,
            ),
          history: { ...history, untilMs: history.untilMs() },
        },
      );
      io.err(`${formatAddresses(demoConfig, addresses)}${tryThis(options)}`);
      const started = history.start().then(demo.start);
      return async () => {
        await started;
        await demo.stop();
      };
    },
  });
}

/** Data of its own, the embedded store, and the names of the synthetic exporters. */
function forDemo(config: Config, hasDirectory: boolean): Config {
  return {
    ...config,
    data_dir: hasDirectory ? config.data_dir : join(config.data_dir, 'demo'),
    store: { ...config.store, url: '' },
    names: {
      ...config.names,
      exporters: {
        ...Object.fromEntries(EXPORTERS.map(({ address, name }) => [address, name])),
        ...config.names.exporters,
      },
    },
  };
}

/** What `ringflow query` needs to find this collector. */
function queryOptions(url: string, token: string): string {
  return `${url === 'http://127.0.0.1:8055' ? '' : ` --url ${url}`}${token ? ' --token …' : ''}`;
}

function tryThis(options: string): string {
  return [
    'A synthetic network is sending, and the last 24 hours are being filled in. Try, in another terminal:',
    '',
    `  npx ringflow query${options} -g sampler_address,service -n 15`,
    `  npx ringflow query${options} "dst_port = 443" -g src_addr --from now-6h`,
    '',
    'Ctrl-C stops it.',
    '',
    '',
  ].join('\n');
}
