/** From the command line to one command; answers the exit code. */
import { ERRORS, UpkeepError } from '../protocol/index.js';
import { parseArguments } from './arguments.js';
import { ALIASES, COMMANDS, isCommandName, type CommandName } from './commands.js';

export async function main(argv: readonly string[]): Promise<number> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', onOutputError);
  try {
    return (await dispatch(argv)) || Number(process.exitCode ?? 0);
  } catch (error) {
    const { printError } = await import('./output/error.js');
    printError(error);
    return error instanceof UpkeepError ? ERRORS[error.code].exit : ERRORS.internal.exit;
  }
}

async function dispatch([word = 'help', ...args]: readonly string[]): Promise<number> {
  const name = await commandNameOf(word);
  if (asksForHelp(args)) return runCommand('help', [name]);
  return runCommand(name, args);
}

async function runCommand(name: CommandName, args: readonly string[]): Promise<number> {
  const { command } = await COMMANDS[name]();
  return (await command.run(parseArguments(name, args, command.options))) ?? 0;
}

async function commandNameOf(word: string): Promise<CommandName> {
  const name = ALIASES[word] ?? word;
  if (isCommandName(name)) return name;
  const { mostSimilar } = await import('../util/index.js');
  const similar = mostSimilar(word, [...Object.keys(COMMANDS), ...Object.keys(ALIASES)]);
  throw new UpkeepError('usage', `Cannot run "upkeep ${word}": there is no such command`, {
    hint: similar ? `did you mean "upkeep ${similar}"?` : 'upkeep --help',
  });
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h');
}

/** `upkeep logs | head` ends when head has seen enough: that is no failure, a full disk is. */
function onOutputError(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return;
  process.exitCode = ERRORS.internal.exit;
  process.stderr.write(`Cannot write the output: ${error.message}\n`);
}

// Run as a file, without bin/upkeep.js: `node --import tsx src/cli/main.ts list`.
if (process.argv[1] === import.meta.filename) process.exitCode = await main(process.argv.slice(2));
