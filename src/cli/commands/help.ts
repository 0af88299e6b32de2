import { UpkeepError } from '../../protocol/index.js';
import { mostSimilar } from '../../util/index.js';
import { ALIASES, COMMANDS, isCommandName, type CommandName } from '../commands.js';
import { defineCommand } from '../command.js';
import { formatCommandHelp, formatOverview } from '../output/help.js';
import { print } from '../output/print.js';

export const command = defineCommand({
  summary: 'Explain upkeep, or one command',
  usage: 'help [command]',
  options: {},
  operands: Object.keys(COMMANDS),
  async run({ operands: [word] }) {
    if (word === undefined) {
      print(await overview());
      return;
    }
    const name = ALIASES[word] ?? word;
    if (!isCommandName(name)) throw noSuchCommand(word);
    const { command } = await COMMANDS[name]();
    print(formatCommandHelp(command, aliasesOf(name)));
  },
});

async function overview(): Promise<string> {
  const names = Object.keys(COMMANDS) as CommandName[];
  const summaries = await Promise.all(
    names.map(async (name) => [name, (await COMMANDS[name]()).command.summary] as const),
  );
  return formatOverview(summaries);
}

function aliasesOf(name: CommandName): string[] {
  return Object.keys(ALIASES).filter((alias) => ALIASES[alias] === name);
}

function noSuchCommand(word: string): UpkeepError {
  const similar = mostSimilar(word, Object.keys(COMMANDS));
  return new UpkeepError('usage', `Cannot explain "${word}": there is no such command`, {
    hint: similar ? `did you mean "upkeep help ${similar}"?` : 'upkeep --help',
  });
}
