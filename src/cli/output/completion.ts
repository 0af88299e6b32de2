/** Writes completion scripts from the declarations of the commands; names of services are asked for when needed. */
import type { Command } from '../command.js';

export type Completable = Pick<Command, 'summary' | 'options' | 'operands'> & { readonly name: string };

const NAMES_COMMAND = 'upkeep list --quiet 2>/dev/null';

export const COMPLETION_SCRIPTS: ReadonlyMap<string, (commands: readonly Completable[]) => string> = new Map([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
]);

function bashScript(commands: readonly Completable[]): string {
  return `_upkeep() {
  local word=\${COMP_WORDS[COMP_CWORD]} options='' operands=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')}' -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${commands.map(bashCase).join('\n')}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "$operands" -- "$word")) ;;
  esac
}
complete -o bashdefault -o default -F _upkeep upkeep`;
}

function bashCase({ name, options, operands }: Completable): string {
  const words = operands === 'services' ? `$(${NAMES_COMMAND})` : wordsOf(operands).join(' ');
  return `    ${name}) options='${flagsOf(options).join(' ')}' operands="${words}" ;;`;
}

/** zsh runs the bash script: one description of the words is enough. */
function zshScript(commands: readonly Completable[]): string {
  return `autoload -U +X compinit && compinit
autoload -U +X bashcompinit && bashcompinit
${bashScript(commands)}`;
}

function fishScript(commands: readonly Completable[]): string {
  const first = '__fish_use_subcommand';
  return commands
    .flatMap(({ name, summary, options, operands }) => {
      const inside = `complete -c upkeep -n '__fish_seen_subcommand_from ${name}'`;
      const words = operands === 'services' ? [`(${NAMES_COMMAND})`] : wordsOf(operands);
      return [
        `complete -c upkeep -n ${first} -f -a ${name} -d ${fishQuote(summary)}`,
        ...(words.length > 0 ? [`${inside} -f -a '${words.join(' ')}'`] : []),
        ...Object.entries(options).map(
          ([option, { short, type, description }]) =>
            `${inside} -l ${option}${short ? ` -s ${short}` : ''}${type === 'string' ? ' -r' : ''} -d ${fishQuote(description)}`,
        ),
      ];
    })
    .join('\n');
}

function wordsOf(operands: Completable['operands']): readonly string[] {
  return operands === undefined || operands === 'services' || operands === 'files' ? [] : operands;
}

function flagsOf(options: Completable['options']): string[] {
  return [...Object.keys(options).map((name) => `--${name}`), '--help'];
}

function fishQuote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
