/** From a command as it is written to the words that are executed. */

const SHELL_SYNTAX = /["'`$&|;<>()*?[\]{}~#!\\\n]|^\s*\w+=/;

export function needsShell(line: string): boolean {
  return SHELL_SYNTAX.test(line);
}

/** Words as they are; text is split on blanks, or handed to the shell when it has syntax of a shell. */
export function commandWords(command: string | readonly string[], args: readonly string[] = []): string[] {
  if (typeof command !== 'string') return [...command, ...args];
  return needsShell(command) ? shellWords(command, args) : [...splitWords(command), ...args];
}

/** `"$@"` hands the arguments on untouched; the word behind the line becomes `$0`. */
export function shellWords(line: string, args: readonly string[] = []): string[] {
  return args.length === 0 ? ['/bin/sh', '-c', line] : ['/bin/sh', '-c', `${line} "$@"`, 'sh', ...args];
}

export function splitWords(line: string): string[] {
  return line.split(/\s+/).filter(Boolean);
}
