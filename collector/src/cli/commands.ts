import type { Command, Option } from './command.ts';

const CONFIG: Option = { name: 'config', short: 'c', value: 'FILE', description: 'Configuration (default: ./ringflow.yml when there is one)' };
const URL_OPTION: Option = { name: 'url', value: 'URL', description: 'The collector (default: RINGFLOW_URL or http://127.0.0.1:8055)' };
const TOKEN: Option = { name: 'token', value: 'TOKEN', description: 'Bearer token (default: RINGFLOW_TOKEN, which no other user sees)' };
/** For a collector with `http.tls`. */
const TLS: readonly Option[] = [
  { name: 'ca', value: 'FILE', description: 'Authority, or the certificate itself, that an https collector is trusted by (default: RINGFLOW_CA, else the system)' },
  { name: 'cert', value: 'FILE', description: 'Certificate to show to a collector that asks for one (default: RINGFLOW_CERT)' },
  { name: 'key', value: 'FILE', description: 'Key of that certificate (default: RINGFLOW_KEY)' },
];

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  {
    name: 'serve',
    summary: 'Receive flow export, keep it, answer queries',
    options: [CONFIG],
    examples: [
      { command: 'ringflow serve', does: 'listen on 2055, 4739 and 6343, keep data in ./data' },
      { command: 'ringflow serve --config /etc/ringflow.yml', does: 'with a configuration' },
      { command: 'RINGFLOW_HTTP_HOST=0.0.0.0 ringflow serve', does: 'override one setting' },
    ],
    load: () => import('./serve.ts'),
  },
  {
    name: 'demo',
    summary: 'The same with a synthetic network that sends, and 24 hours of history',
    options: [CONFIG],
    examples: [
      { command: 'ringflow demo', does: 'data in ./data/demo' },
      { command: 'RINGFLOW_DATA=/tmp/demo ringflow demo', does: 'data somewhere else' },
    ],
    load: () => import('./demo.ts'),
  },
  {
    name: 'classify',
    summary: 'Try the classification rules: what each exporter and interface is given, and by which rule',
    options: [
      CONFIG,
      { name: 'exporter', value: 'ADDRESS', description: 'Only this exporter' },
      { name: 'index', value: 'N', description: 'Only this interface (ifIndex)' },
      { name: 'fact', value: 'NAME=TEXT', description: 'Classify something that is not there yet: facts of an interface, such as description="Transit: ACME" (many)', many: true },
      { name: 'json', description: 'Print JSON' },
      URL_OPTION,
      TOKEN,
      ...TLS,
    ],
    examples: [
      { command: 'ringflow classify --config new.yml', does: 'the rules of a file, on what the running collector knows' },
      { command: 'ringflow classify --fact name=xe-0/0/1 --fact description=Transit:ACME', does: 'without a collector' },
    ],
    load: () => import('./classify.ts'),
  },
  {
    name: 'query',
    summary: 'Ask a running collector',
    positionals: '[FILTER]',
    options: [
      { name: 'kind', short: 'k', value: 'KIND', description: 'table, timeseries, records or stat (default: table with --group-by, else stat)' },
      { name: 'group-by', short: 'g', value: 'FIELDS', description: 'Fields to group by, separated by commas', many: true },
      { name: 'filter', short: 'f', value: 'FILTER', description: 'Which records, in the filter language' },
      { name: 'from', value: 'TIME', description: 'Start: now-1h, ISO 8601 or milliseconds since the epoch (default: now-1h)' },
      { name: 'to', value: 'TIME', description: 'End (default: now)' },
      { name: 'top', short: 'n', value: 'N', description: 'Rows or series to show (default: 10; records: 100)' },
      { name: 'metric', short: 'm', value: 'METRIC', description: 'Rank by bytes, packets or flows (default: bytes)' },
      { name: 'measure', value: 'MEASURE', description: 'rate, total or share (default: total; timeseries: rate)' },
      { name: 'columns', value: 'FIELDS', description: 'Columns of records, separated by commas (default: the main ones; all with --json and --csv)' },
      { name: 'unique', value: 'FIELDS', description: 'Fields whose distinct values stat counts, separated by commas' },
      { name: 'resolution', value: 'NAME', description: 'auto, raw, 1m or 1h (default: auto)' },
      { name: 'interval', value: 'DURATION', description: 'Length of a bucket of a time series, for example 5m' },
      { name: 'json', description: 'Print the answer of the API as it is' },
      { name: 'csv', description: 'Print comma-separated values' },
      { name: 'sql', description: 'Print the SQL that was run, on standard error' },
      URL_OPTION,
      TOKEN,
      ...TLS,
    ],
    examples: [
      { command: 'ringflow query -g src_addr,dst_addr', does: 'who talked to whom, last hour' },
      { command: 'ringflow query -g service "exporter = edge1" --from now-24h', does: 'services that one exporter saw today' },
      { command: 'ringflow query -k timeseries -g in_if --interval 5m', does: 'bits per second by input interface' },
      { command: 'ringflow query -k records "src_addr in 10.0.0.0/8 and dst_port = 22" -n 20', does: 'single records' },
      { command: 'ringflow query -k stat --unique src_addr', does: 'totals, and how many sources' },
      { command: 'ringflow query -g src_as --csv > as.csv', does: 'for a spreadsheet' },
    ],
    load: () => import('./query.ts'),
  },
  {
    name: 'decode',
    summary: 'Print the flow records of a capture as JSON lines',
    positionals: 'FILE.pcap',
    options: [
      { name: 'all', description: 'Print options and counter records too (they have a "kind")' },
      { name: 'from-host', value: 'ADDR', description: 'Only datagrams from this address' },
      { name: 'decapsulate', description: 'sFlow: look into GRE, VXLAN, Geneve and IP-in-IP' },
    ],
    examples: [
      { command: "ringflow decode exporters.pcap | jq -c '[.src_addr, .dst_addr, .bytes]'", does: 'one object per record; a summary on standard error' },
      { command: 'tcpdump -i eth0 -w - udp port 2055 | ringflow decode -', does: 'from a live interface' },
      { command: 'ringflow decode exporters.pcap --from-host 192.0.2.1 --all', does: 'all that one exporter sent' },
    ],
    load: () => import('./decode.ts'),
  },
  {
    name: 'replay',
    summary: 'Send the flow export of a capture to a collector',
    positionals: 'FILE.pcap',
    options: [
      { name: 'target', short: 't', value: 'HOST:PORT', description: 'Where to (default: 127.0.0.1:2055)' },
      { name: 'rate', short: 'r', value: 'N', description: 'Datagrams per second (default: 5000)' },
      { name: 'original-timing', description: 'With the pauses of the capture instead' },
      { name: 'loop', short: 'n', value: 'N', description: 'Send the file N times (default: 1); sequence numbers then jump back' },
    ],
    examples: [
      { command: 'ringflow replay capture.pcap --target 127.0.0.1:2055', does: 'every datagram of the file, each exporter from its own source port' },
      { command: 'ringflow replay capture.pcap --original-timing', does: 'as it was recorded' },
      { command: 'ringflow replay capture.pcap --rate 20000 --loop 100', does: 'as load' },
    ],
    load: () => import('./replay.ts'),
  },
  {
    name: 'import',
    summary: 'Take flow records of goflow2 or nfdump into a running collector',
    positionals: 'FILE…',
    options: [{ name: 'as', value: 'NAME', description: 'Name of the input, to tell it from others that begin with the same record' }, URL_OPTION, { name: 'token', value: 'TOKEN', description: 'Token of http.ingest (default: RINGFLOW_HTTP_INGEST_TOKEN)' }, ...TLS],
    examples: [
      { command: 'ringflow import flows.json', does: 'what goflow2 wrote (-transport.file flows.json); again later: only what is new' },
      { command: 'nfdump -R /var/cache/nfdump -o json | ringflow import -', does: 'what nfcapd kept; times are taken for local ones' },
      { command: 'nfdump -r nfcapd.202601011200 -o csv > a.csv && ringflow import a.csv', does: 'the same through a file' },
    ],
    load: () => import('./import.ts'),
  },
  {
    name: 'export',
    summary: 'Write flow records of any filter and range to a file',
    positionals: '[FILTER]',
    options: [
      { name: 'format', value: 'FORMAT', description: 'ndjson, csv or parquet (default: by the name of the file, else ndjson)' },
      { name: 'filter', short: 'f', value: 'FILTER', description: 'Which records, in the filter language' },
      { name: 'from', value: 'TIME', description: 'Start, by time of arrival: now-1h, ISO 8601 or milliseconds since the epoch (default: now-1h)' },
      { name: 'to', value: 'TIME', description: 'End (default: now)' },
      { name: 'columns', value: 'FIELDS', description: 'Stored fields, separated by commas (default: all)' },
      { name: 'output', short: 'o', value: 'FILE', description: 'Where to (default: standard output); it is there when it is complete' },
      URL_OPTION,
      TOKEN,
      ...TLS,
    ],
    examples: [
      { command: 'ringflow export --from now-24h -o day.parquet', does: 'a day for a data lake' },
      { command: 'ringflow export "src_addr in 10.0.0.0/8" --format csv --columns src_addr,dst_addr,bytes', does: 'for a spreadsheet' },
      { command: 'ringflow export --from 2026-01-01 --to 2026-01-02 -o day.ndjson', does: 'to keep; "ringflow import day.ndjson" brings it back' },
    ],
    load: () => import('./export.ts'),
  },
  {
    name: 'check',
    summary: 'Check the configuration and print the effective values',
    positionals: '[FILE]',
    options: [CONFIG, { name: 'schema', description: 'Print the JSON schema of ringflow.yml (for editors)' }, { name: 'json', description: 'Print the effective values as JSON' }],
    examples: [
      { command: 'ringflow check', does: 'all problems at once, each with its line' },
      { command: 'ringflow check --schema > ringflow.schema.json', does: 'completion in an editor' },
    ],
    load: () => import('./check.ts'),
  },
  {
    name: 'doctor',
    summary: 'Why do I see nothing? Look for the reason, and say what to mend',
    options: [
      CONFIG,
      { name: 'url', value: 'URL', description: 'The collector (default: RINGFLOW_URL, or http.host and http.port of the configuration)' },
      TOKEN,
      ...TLS,
      { name: 'silent-after', value: 'DURATION', description: 'An exporter is silent after this long without a datagram (default: 5m)' },
      { name: 'json', description: 'Print the findings as JSON' },
    ],
    exitCodes: '0 all is well, 1 there are warnings, 2 something fails (or the command line was not understood)',
    examples: [
      { command: 'ringflow doctor', does: 'on the machine of the collector, whether it runs or not; as root it sees more' },
      { command: 'ringflow doctor --url http://collector:8055 --silent-after 15m', does: 'from somewhere else, through the API alone' },
      { command: 'ringflow doctor --json | jq -r \'.findings[] | select(.status != "ok") | .message\'', does: 'for scripts' },
    ],
    load: () => import('./doctor.ts'),
  },
];
