/** Parts of docs/cli.md: from the declarations of the commands and the catalogue of errors. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import { ALIASES, COMMANDS } from '../../src/cli/commands.ts';
import * as protocol from '../../src/protocol/index.ts';
import { openApi } from '../openapi.mjs';
import { ROOT } from '../setup.mjs';
import { code, createBook, fence, table } from './markdown.mjs';

export async function cliParts() {
  const names = Object.keys(COMMANDS);
  const commands = new Map(
    await Promise.all(names.map(async (name) => [name, (await COMMANDS[name]()).command])),
  );
  const book = createBook('command', names);
  const order = [...names];
  return {
    parts: {
      /** The names of commands, in the order of `upkeep --help`. */
      commands: (words) =>
        words
          .split(' ')
          .map((name) => {
            book.place(name);
            if (order.shift() !== name) throw new Error(`docs/templates/cli.md: "${name}" is not in order`);
            return describeCommand(name, commands.get(name));
          })
          .join('\n\n'),
      exits: () => table(['Exit code', 'Codes of errors'], exitRows()),
      /** A file of docs/templates/ that was recorded, and the schema that it must follow. */
      recorded: (words) => {
        const [file, schema] = words.split(' ');
        const text = readFileSync(join(ROOT, 'docs/templates', file), 'utf8');
        validateList(JSON.parse(text), schema);
        return fence('json', text);
      },
    },
    finish: book.finish,
  };
}

function describeCommand(name, { summary, usage, examples, options }) {
  const aliases = Object.keys(ALIASES).filter((alias) => ALIASES[alias] === name);
  const rows = Object.entries(options).map(([option, spec]) => [optionUsage(option, spec), spec.description]);
  return [
    `### upkeep ${name}`,
    `${summary}.${aliases.length > 0 ? ` Also: ${aliases.map(code).join(', ')}.` : ''}`,
    fence(
      'text',
      usage
        .split('\n')
        .map((line) => (line.trim().startsWith('upkeep') ? line.trim() : `upkeep ${line}`))
        .join('\n'),
    ),
    ...(rows.length > 0 ? [table(['Option', ''], rows)] : []),
    ...(examples ? ['Examples:', fence('sh', examples.join('\n'))] : []),
  ].join('\n\n');
}

function optionUsage(name, { type, short, value, multiple }) {
  const flag = `${short ? `-${short}, ` : ''}--${name}`;
  const whole = type === 'string' ? `${flag} <${value ?? 'value'}>` : flag;
  return code(whole) + (multiple ? ', may be repeated' : '');
}

function exitRows() {
  const byExit = groupByExit();
  return [...byExit]
    .sort(([a], [b]) => a - b)
    .map(([exit, entries]) => [exit, entries.map(([name]) => code(name)).join(', ')]);
}

function groupByExit() {
  const groups = new Map();
  for (const entry of Object.entries(protocol.ERRORS)) {
    const { exit } = entry[1];
    groups.set(exit, [...(groups.get(exit) ?? []), entry]);
  }
  return groups;
}

function validateList(value, schema) {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'api', ...openApi(protocol, '') });
  const validate = ajv.compile({ type: 'array', items: { $ref: `api#/components/schemas/${schema}` } });
  if (!validate(value)) throw new Error(`docs/templates: not ${schema}: ${JSON.stringify(validate.errors)}`);
}
