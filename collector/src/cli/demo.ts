import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig, type Config, type ReadConfig } from '../config/index.ts';
import { createDemo, createDemoGeography, createDemoReputation, EXPORTERS } from '../demo/index.ts';
import { formatProblems } from './check.ts';
import { EXIT, type Arguments, type Io } from './command.ts';
import { createHistory } from './processes/history.ts';
import { formatAddresses, runCollector } from './serve.ts';

/** `ringflow demo`: the collector with an embedded store, and a synthetic network that sends to it. */
export async function run(args: Arguments, io: Io): Promise<number> {
  const read = (): ReadConfig => {
    const found = readConfig(args.text('config'));
    return { ...found, config: forDemo(found.config, found.origins.has('data_dir')) };
  };
  const { config: demoConfig, problems } = read();
  if (problems.length > 0) {
    io.err(formatProblems(problems));
    return EXIT.failed;
  }
  mkdirSync(demoConfig.data_dir, { recursive: true });
  writeFileSync(geographyPath(demoConfig.data_dir), createDemoGeography(Date.now()));
  writeFileSync(reputationPath(demoConfig.data_dir), createDemoReputation());
  return runCollector(demoConfig, read, {
    started: (addresses, collector) => {
      const port = addresses.listeners[0]?.port as number;
      const options = queryOptions(addresses.url, demoConfig.http.token);
      const history = createHistory(demoConfig, collector.addNames);
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

/** Where the database with the places of the synthetic network is. */
function geographyPath(dataDirectory: string): string {
  return join(dataDirectory, 'demo-geography.mmdb');
}

/** Where the list of the synthetic network's bad addresses is. */
function reputationPath(dataDirectory: string): string {
  return join(dataDirectory, 'demo-reputation.csv');
}

/** Data of its own, the embedded store, and the names and places of the synthetic network. */
function forDemo(config: Config, hasDirectory: boolean): Config {
  const dataDirectory = hasDirectory ? config.data_dir : join(config.data_dir, 'demo');
  return {
    ...config,
    data_dir: dataDirectory,
    store: { ...config.store, url: '' },
    enrich: {
      ...config.enrich,
      networks: { ...NETWORKS, ...config.enrich.networks },
      geo: { ...config.enrich.geo, databases: [...config.enrich.geo.databases, geographyPath(dataDirectory)] },
      reputation: {
        ...config.enrich.reputation,
        lists: [...config.enrich.reputation.lists, { name: 'demo', path: reputationPath(dataDirectory) }],
      },
    },
    names: {
      ...config.names,
      exporters: {
        ...Object.fromEntries(EXPORTERS.map(({ address, name, site }) => [address, { name, site: site.name }])),
        ...config.names.exporters,
      },
      interfaces: { ...INTERFACES, ...config.names.interfaces },
      classify: {
        exporters: [...config.names.classify.exporters, ...CLASSIFY.exporters],
        interfaces: [...config.names.classify.interfaces, ...CLASSIFY.interfaces],
      },
    },
  };
}

/** The sites of the synthetic network, and all of them: networks may overlap. */
const NETWORKS: Config['enrich']['networks'] = {
  inside: ['10.0.0.0/8', 'fd00::/8'],
  ...Object.fromEntries(
    EXPORTERS.map(({ site: { name, v4, v6, place } }) => [
      name,
      {
        prefixes: [`${v4}.0.0/16`, `${v6}::/48`],
        site: name,
        role: name === 'datacenter' ? 'servers' : 'users',
        ...place,
      },
    ]),
  ),
};

/** NetFlow v5 has no way to tell names: they are written down. */
const INTERFACES: Config['names']['interfaces'] = Object.fromEntries(
  EXPORTERS.filter(({ protocol }) => protocol === 'netflow5').map(({ address, interfaces }) => [
    address,
    Object.fromEntries(
      interfaces.map(({ index, name, description, speedBps }) => [index, { name, description, speed_bps: speedBps }]),
    ),
  ]),
);

/** What the names in the synthetic network mean. */
const CLASSIFY: Config['names']['classify'] = {
  exporters: [{ match: { name: '^(?<role>[a-z]+)[0-9]' }, set: { role: '$<role>' } }],
  interfaces: [
    {
      match: { description: '^(?<how>Transit|PNI|IX|WAN): (?<who>.+)' },
      set: { connectivity: '$<how>', provider: '$<who>', boundary: 'external' },
    },
    { match: { description: '.' }, set: { boundary: 'internal' } },
  ],
};

/** What `ringflow query` needs to find this collector. */
function queryOptions(url: string, token: string): string {
  return `${url === 'http://127.0.0.1:8055' ? '' : ` --url ${url}`}${token ? ' --token …' : ''}`;
}

function tryThis(options: string): string {
  return [
    'A synthetic network is sending, and the last 24 hours and four weeks are being filled in. Try, in another terminal:',
    '',
    `  npx ringflow query${options} -g sampler_address,service -n 15`,
    `  npx ringflow query${options} -g src_country,src_as -n 15`,
    `  npx ringflow query${options} 'src_threat ~ "."' -g src_threat,src_addr -n 15`,
    `  npx ringflow query${options} "dst_port = 443" -g src_addr --from now-6h`,
    '',
    'Ctrl-C stops it.',
    '',
    '',
  ].join('\n');
}
