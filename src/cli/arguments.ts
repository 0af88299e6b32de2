/** Takes a command line apart after the declaration of its command. */
import { parseArgs } from 'node:util';
import { UpkeepError } from '../protocol/index.js';
import { mostSimilar } from '../util/index.js';
import type { Invocation, Options, OptionSpec, OptionValues } from './command.js';

export function parseArguments<O extends Options>(
  name: string,
  args: readonly string[],
  options: O,
): Invocation<O> {
  // Not strict: the tokens are judged here, in our own words.
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const values: Record<string, boolean | string | string[]> = {};
  const operands: string[] = [];
  let terminator: number | undefined;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') terminator = token.index;
    else if (terminator !== undefined) continue;
    else if (token.kind === 'positional') operands.push(token.value);
    else {
      const spec = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
      if (!spec) throw unknownOption(name, token.rawName, options);
      const value = optionValue(name, token, spec);
      values[token.name] = spec.multiple
        ? [...((values[token.name] as string[]) ?? []), String(value)]
        : value;
    }
  }
  const rest = terminator === undefined ? undefined : args.slice(terminator + 1);
  return { values: values as OptionValues<O>, operands, rest };
}

interface OptionToken {
  readonly rawName: string;
  readonly value?: string | undefined;
}

function optionValue(name: string, { rawName, value }: OptionToken, spec: OptionSpec): boolean | string {
  if (spec.type === 'string' && value === undefined) throw usageError(name, `"${rawName}" needs a value`);
  if (spec.type === 'boolean' && value !== undefined) throw usageError(name, `"${rawName}" takes no value`);
  return value ?? true;
}

function unknownOption(name: string, rawName: string, options: Options): UpkeepError {
  const similar = mostSimilar(rawName.replace(/^-+/, ''), Object.keys(options));
  return new UpkeepError('usage', `Cannot read the options of "upkeep ${name}": "${rawName}" is unknown`, {
    hint: similar ? `did you mean "--${similar}"?` : `upkeep ${name} --help`,
  });
}

export function usageError(name: string, fact: string): UpkeepError {
  return new UpkeepError('usage', `Cannot run "upkeep ${name}": ${fact}`, { hint: `upkeep ${name} --help` });
}

/** The only operand of a command that takes exactly one. */
export function oneOperand(name: string, operands: readonly string[], what: string): string {
  const [operand, ...others] = operands;
  if (operand === undefined) throw usageError(name, `it needs ${what}`);
  if (others.length > 0) throw usageError(name, `it takes one operand, not ${operands.length}`);
  return operand;
}

/** A whole number that is not negative; undefined stays undefined. */
export function parseCount(name: string, option: string, text: string): number {
  if (!/^\d+$/.test(text)) throw usageError(name, `${option} needs a whole number, not "${text}"`);
  return Number(text);
}
