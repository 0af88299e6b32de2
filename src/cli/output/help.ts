/** Words the declarations of the commands as help. */
import type { Command, Options, OptionSpec } from '../command.js';
import { outColors } from './color.js';
import { formatTable } from './table.js';

export function formatOverview(summaries: readonly (readonly [name: string, summary: string])[]): string {
  return [
    'upkeep keeps services up: Node.js and everything else',
    '',
    heading('Usage'),
    '  upkeep <command> [options]',
    '',
    heading('Commands'),
    list(summaries),
    '',
    heading('Environment'),
    list([
      ['UPKEEP_HOME', 'folder of the daemon, default ~/.upkeep'],
      ['UPKEEP_PROFILE', 'profile of the configuration file, unless --profile names one'],
      ['NO_COLOR, FORCE_COLOR', 'no colours, colours always'],
    ]),
    '',
    'upkeep <command> --help explains a command',
  ].join('\n');
}

export function formatCommandHelp(command: Command, aliases: readonly string[]): string {
  return [
    command.summary,
    '',
    heading('Usage'),
    ...command.usage.split('\n').map((line) => `  upkeep ${line}`),
    ...(aliases.length > 0 ? ['', `${heading('Also')} ${aliases.join(', ')}`] : []),
    ...section('Options', optionRows(command.options)),
    ...(command.examples ? ['', heading('Examples'), ...command.examples.map((line) => `  ${line}`)] : []),
  ].join('\n');
}

function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  return rows.length > 0 ? ['', heading(title), list(rows)] : [];
}

function optionRows(options: Options): (readonly [string, string])[] {
  return Object.entries(options).map(([name, spec]) => [optionUsage(name, spec), spec.description]);
}

/** `-i, --instances <n>`. */
function optionUsage(name: string, { type, short, value }: OptionSpec): string {
  const flag = `${short ? `-${short}, ` : '    '}--${name}`;
  return type === 'string' ? `${flag} <${value ?? 'value'}>` : flag;
}

/** A table without titles, indented. */
function list(rows: readonly (readonly [string, string])[]): string {
  const table = formatTable(
    [{ title: '' }, { title: '' }],
    rows.map(([left, right]) => [`  ${left}`, right]),
  );
  return table.slice(table.indexOf('\n') + 1);
}

function heading(text: string): string {
  return outColors.bold(`${text}:`);
}
