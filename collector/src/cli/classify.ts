import type { ExportersResponse, NameEntry, NameKind } from '@ringflow/contract';
import { readConfig, type Config } from '../config/index.ts';
import { CLASSIFY_FACTS, createClassifier, createInventory, type Described } from '../names/index.ts';
import { formatProblems } from './check.ts';
import { ClientError, clientOptions, createClient } from './client.ts';
import { EXIT, UsageError, type Arguments, type Io } from './command.ts';

/** One attribute of an exporter or interface, and where it comes from. */
interface Line {
  readonly what: string;
  readonly attribute: string;
  readonly value: string;
  /** `rule 1`, `configured`, or the source that said so. */
  readonly from: string;
}

/** `ringflow classify`: a dry run of the rules of a configuration that nothing else takes notice of. */
export async function run(args: Arguments, io: Io): Promise<number> {
  const { config, problems } = readConfig(args.text('config'));
  if (problems.length > 0) {
    io.err(formatProblems(problems));
    return EXIT.failed;
  }
  try {
    const facts = args.texts('fact');
    const lines = facts.length > 0 ? linesOfFacts(config, facts) : await linesOfCollector(config, args);
    io.out(args.flag('json') ? `${JSON.stringify(lines, null, 2)}\n` : formatLines(lines));
    return EXIT.ok;
  } catch (error) {
    if (error instanceof ClientError) io.err(`${error.message}\n${error.hint}\n`);
    else if (error instanceof RangeError) io.err(`${error.message}\n`);
    else throw error;
    return EXIT.failed;
  }
}

function linesOfFacts({ names }: Config, texts: readonly string[]): Line[] {
  const known: readonly string[] = CLASSIFY_FACTS.interfaces;
  const facts = Object.fromEntries(
    texts.map((text): [string, string] => {
      const at = text.indexOf('=');
      const name = text.slice(0, Math.max(at, 0));
      if (!known.includes(name))
        throw new UsageError(`"${text}" is not a fact`, `Write NAME=TEXT with one of ${known.join(', ')}`);
      return [name, text.slice(at + 1)];
    }),
  );
  const classify = createClassifier(names.classify.interfaces, 'names.classify.interfaces');
  return classify(facts).map(({ attribute, value, rule }) => ({
    what: 'interface',
    attribute,
    value,
    from: ruleName('interface', rule),
  }));
}

/** What a running collector knows, put under the rules of this configuration. */
async function linesOfCollector({ names }: Config, args: Arguments): Promise<Line[]> {
  const { exporters } = await createClient(clientOptions(args)).get<ExportersResponse>('/api/v1/exporters');
  const inventory = createInventory(names);
  for (const exporter of exporters) {
    const entry = (kind: NameKind, id: string, known: Partial<NameEntry>): NameEntry => ({
      kind,
      exporter: exporter.address,
      id,
      name: '',
      description: '',
      speedBps: 0,
      source: 'enrich',
      attributes: {},
      ...known,
    });
    // What the running configuration says is not taken over: the one that is tried has its own.
    inventory.update([
      entry('exporter', exporter.address, {
        ...(exporter.nameSource === '' || exporter.nameSource === 'config'
          ? {}
          : { name: exporter.name, source: exporter.nameSource }),
      }),
      ...exporter.interfaces.flatMap(({ index, name, description, speedBps, source }) =>
        source === 'config' ? [] : [entry('interface', String(index), { name, description, speedBps, source })],
      ),
    ]);
  }
  const index = args.text('index');
  const only = args.text('exporter');
  const wanted = ({ entry }: Described): boolean =>
    (only === undefined || entry.exporter === only) && (index === undefined || entry.id === index);
  return [
    ...(index === undefined ? inventory.describe('exporter') : []).filter(wanted).flatMap(linesOf),
    ...inventory.describe('interface').filter(wanted).flatMap(linesOf),
  ];
}

function linesOf({ entry, given, attributes }: Described): Line[] {
  const kind = entry.kind === 'exporter' ? 'exporter' : 'interface';
  const what =
    kind === 'exporter'
      ? `${entry.exporter} ${entry.name}`.trim()
      : `${entry.exporter} ${entry.id} ${entry.name}${entry.description === '' ? '' : ` (${entry.description})`}`;
  const lines = Object.entries(attributes).map(([attribute, value]): Line => {
    const byRule = given.find((one) => one.attribute === attribute);
    return { what, attribute, value, from: byRule?.value === value ? ruleName(kind, byRule.rule) : 'configured' };
  });
  return lines.length > 0 ? lines : [{ what, attribute: '', value: '', from: 'no rule' }];
}

function ruleName(kind: 'exporter' | 'interface', rule: number): string {
  return `names.classify.${kind}s[${rule}]`;
}

function formatLines(lines: readonly Line[]): string {
  if (lines.length === 0) return 'Nothing is known that could be classified\n';
  let last = '';
  return lines
    .map(({ what, attribute, value, from }) => {
      const heading = what === last ? '' : `${what}\n`;
      last = what;
      return `${heading}  ${attribute === '' ? from : `${attribute.padEnd(14)}${value.padEnd(24)}${from}`}\n`;
    })
    .join('');
}
