import { oneOperand, usageError } from '../arguments.js';
import { COMMANDS, type CommandName } from '../commands.js';
import { defineCommand } from '../command.js';
import { COMPLETION_SCRIPTS, type Completable } from '../output/completion.js';
import { print } from '../output/print.js';

export const command = defineCommand({
  summary: 'Print a completion script for a shell',
  usage: 'completion bash | zsh | fish',
  examples: [
    'source <(upkeep completion bash)',
    'upkeep completion fish > ~/.config/fish/completions/upkeep.fish',
  ],
  options: {},
  operands: ['bash', 'zsh', 'fish'],
  async run({ operands }) {
    const shell = oneOperand('completion', operands, '"bash", "zsh" or "fish"');
    const write = COMPLETION_SCRIPTS.get(shell);
    if (!write) throw usageError('completion', `"${shell}" is none of "bash", "zsh" and "fish"`);
    print(write(await completables()));
  },
});

function completables(): Promise<Completable[]> {
  const names = Object.keys(COMMANDS) as CommandName[];
  return Promise.all(names.map(async (name) => ({ name, ...(await COMMANDS[name]()).command })));
}
