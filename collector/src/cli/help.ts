import type { Command } from './command.ts';

/** Two columns, the left one padded; long descriptions are wrapped under the right one. */
function columns(rows: readonly (readonly [string, string])[], indent = '  '): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${indent}${left.padEnd(width)}  ${right}`).join('\n');
}

/** Text of `ringflow --help`. */
export function formatHelp(commands: readonly Command[], version: string): string {
  return [
    `ringflow ${version}: flow observability (NetFlow v5/v7/v9, IPFIX, sFlow)`,
    '',
    'Usage: ringflow COMMAND [OPTIONS]',
    '',
    'Commands:',
    columns(commands.map(({ name, positionals, summary }) => [positionals ? `${name} ${positionals}` : name, summary])),
    '',
    'Examples:',
    ...commands.map(({ examples }) => `  ${examples[0]?.command ?? ''}`),
    '',
    'Run "ringflow COMMAND --help" for the options and examples of a command.',
    '',
  ].join('\n');
}

/** Text of `ringflow COMMAND --help`. */
export function formatCommandHelp(command: Command): string {
  const options = [...command.options, { name: 'help', short: 'h', description: 'Show this' }];
  return [
    command.summary,
    '',
    `Usage: ringflow ${command.name}${command.positionals ? ` ${command.positionals}` : ''} [OPTIONS]`,
    '',
    'Options:',
    columns(
      options.map((option) => {
        const value = 'value' in option && option.value !== undefined ? ` ${option.value}` : '';
        return [`${option.short ? `-${option.short}, ` : '    '}--${option.name}${value}`, option.description];
      }),
    ),
    '',
    ...(command.exitCodes === undefined ? [] : [`Exit codes: ${command.exitCodes}`, '']),
    'Examples:',
    ...command.examples.flatMap(({ command: line, does }) => [`  # ${does}`, `  ${line}`]),
    '',
  ].join('\n');
}
