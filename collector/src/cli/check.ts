import { stringify } from 'yaml';
import {
  isSection,
  readConfig,
  shippedSchema,
  CONFIG_SCHEMA,
  unitOfKey,
  withoutSecrets,
  type ConfigProblem,
  type Schema,
} from '../config/index.ts';
import { forecastText } from './check-forecast.ts';
import { EXIT, UsageError, type Arguments, type Io } from './command.ts';

/** `ringflow check`: all problems at once, or the effective values and what the disk will hold. */
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
    io.out(`${JSON.stringify(withoutSecrets(config), null, 2)}\n`);
    return EXIT.ok;
  }
  const forecast = await forecastText(config, args.text('rate'));
  io.err(`${file ?? 'No ringflow.yml, only defaults'}: no problems\n`);
  // As comments: what is printed stays a configuration.
  io.out(`${effective(config, origins)}\n${forecast.replace(/^/gm, '# ').trimEnd().replace(/\n#$/, '')}\n`);
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
        const shown = unit ? unit.format(item as number) : withoutSecrets(item, key);
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
