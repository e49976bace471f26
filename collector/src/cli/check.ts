import { stringify } from 'yaml';
import {
  isSection,
  readConfig,
  settingsOf,
  shippedSchema,
  CONFIG_SCHEMA,
  unitOfKey,
  type ConfigProblem,
  type Schema,
} from '../config/index.ts';
import { EXIT, UsageError, type Arguments, type Io } from './command.ts';

/** Keys whose values are not printed. */
const SECRET = /(^|_)(token|password|secret)s?(_|$)/;

/** `ringflow check`: all problems at once, or the effective values. */
export async function run(args: Arguments, io: Io): Promise<number> {
  if (args.flag('schema')) {
    io.out(`${JSON.stringify(shippedSchema(), null, 2)}\n`);
    return EXIT.ok;
  }
  if (args.positionals.length > 1) throw new UsageError('Only one file can be checked at a time', 'Name one file');
  const { config, problems, origins, file } = readConfig(args.positionals[0] ?? args.text('config'));
  if (problems.length > 0) {
    io.err(formatProblems(problems));
    return EXIT.failed;
  }
  if (args.flag('json')) {
    io.out(`${JSON.stringify(masked(config), null, 2)}\n`);
    return EXIT.ok;
  }
  io.err(`${file ?? 'No ringflow.yml, only defaults'}: no problems\n`);
  io.out(effective(config, origins));
  return EXIT.ok;
}

/** Problems for people: place, what, what to write instead. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  const text = problems.map(({ source, line, column, key, message, hint }) => {
    const place = [source, line, column].filter((part) => part !== undefined).join(':');
    return `${place}: ${key ? `${key}: ` : ''}${message}${hint ? `\n  ${hint}` : ''}`;
  });
  return `${text.join('\n')}\n${problems.length} problem${problems.length === 1 ? '' : 's'}\n`;
}

/** The whole configuration as YAML, with units; what is not a default says where it comes from. */
function effective(config: unknown, origins: ReadonlyMap<string, string>): string {
  const lines: string[] = [];
  const walk = (schema: Schema, value: unknown, path: readonly string[]): void => {
    for (const [key, child] of Object.entries(schema.properties ?? {})) {
      const indent = '  '.repeat(path.length);
      const item = (value as Record<string, unknown> | undefined)?.[key];
      if (isSection(child)) {
        lines.push(`${indent}${key}:`);
        walk(child, item, [...path, key]);
      } else {
        const origin = origins.get([...path, key].join('.'));
        const unit = typeof item === 'number' ? unitOfKey(key) : undefined;
        const shown = SECRET.test(key) && item ? '***' : unit ? unit.format(item as number) : item;
        const text = stringify(
          { [key]: shown ?? null },
          { lineWidth: 0, flowCollectionPadding: false, collectionStyle: 'flow' },
        ).trim();
        lines.push(`${indent}${text.replace(/^\{(.*)\}$/s, '$1')}${origin ? `  # ${origin}` : ''}`);
      }
    }
  };
  walk(CONFIG_SCHEMA, config, []);
  return `${lines.join('\n')}\n`;
}

function masked(config: unknown): unknown {
  const copy = structuredClone(config) as Record<string, unknown>;
  for (const { path } of settingsOf(CONFIG_SCHEMA)) {
    const key = path.at(-1) as string;
    const parent = path
      .slice(0, -1)
      .reduce<Record<string, unknown> | undefined>(
        (at, step) => at?.[step] as Record<string, unknown> | undefined,
        copy,
      );
    if (parent?.[key] && SECRET.test(key)) parent[key] = '***';
  }
  return copy;
}
