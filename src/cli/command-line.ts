/** The options that describe a service on the command line, and what `config/` makes specifications from. */
import type { CommandLine } from '../config/index.js';
import { parseCount, usageError } from './arguments.js';
import type { Invocation, Options } from './command.js';

export const SPEC_OPTIONS = {
  name: { type: 'string', value: 'name', description: 'name of the service, by default that of the script' },
  instances: {
    type: 'string',
    short: 'i',
    value: 'n',
    description: 'how many copies run, or "max": one for each processor',
  },
  port: { type: 'string', multiple: true, value: 'port', description: 'a port that it listens on' },
  env: {
    type: 'string',
    short: 'e',
    multiple: true,
    value: 'K=V',
    description: 'a variable; K alone: as in the shell',
  },
  'env-file': { type: 'string', multiple: true, value: 'file', description: 'read at each start' },
  cwd: { type: 'string', value: 'folder', description: 'folder that it runs in' },
  restart: { type: 'string', value: 'policy', description: 'always, on-failure or never' },
  interpreter: {
    type: 'string',
    value: 'program',
    description: 'what runs the script, by default after its suffix',
  },
  'interpreter-args': { type: 'string', value: 'words', description: 'arguments of the interpreter' },
  memory: { type: 'string', value: 'size', description: 'restart above this much memory, as 512MB' },
  cron: { type: 'string', value: 'pattern', description: 'restart at these times' },
  watch: { type: 'boolean', description: 'restart when files in the folder change' },
  user: { type: 'string', value: 'user', description: 'user, or user:group, that it runs as' },
  grace: { type: 'string', value: 'time', description: 'from the stop signal to SIGKILL, as 10s' },
  signal: { type: 'string', value: 'signal', description: 'the stop signal, by default SIGTERM' },
  shell: { type: 'boolean', description: 'run the command line in /bin/sh' },
  'kill-scope': {
    type: 'string',
    value: 'scope',
    description: 'tree: with all descendants; process: it alone',
  },
} as const satisfies Options;

export function toCommandLine({
  values,
  operands: [target = ''],
  rest,
}: Invocation<typeof SPEC_OPTIONS>): CommandLine {
  return {
    target,
    args: rest,
    name: values.name,
    instances: values.instances === undefined ? undefined : parseInstances(values.instances),
    ports: values.port?.map((port) => parseCount('start', '--port', port)),
    env: values.env && parseVariables(values.env, process.env),
    envFiles: values['env-file'],
    cwd: values.cwd,
    restart: values.restart,
    interpreter: values.interpreter,
    interpreterArgs: values['interpreter-args'],
    memory: values.memory,
    cron: values.cron,
    watch: values.watch,
    user: values.user,
    killScope: values['kill-scope'],
    grace: values.grace,
    signal: values.signal,
    shell: values.shell,
  };
}

function parseInstances(text: string): number | 'max' {
  return text === 'max' ? 'max' : parseCount('start', '--instances', text);
}

/** `KEY=value`; `KEY` alone takes the value of the shell. */
export function parseVariables(
  pairs: readonly string[],
  shellEnv: NodeJS.ProcessEnv,
): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at >= 0) return [pair.slice(0, at), pair.slice(at + 1)];
      const value = shellEnv[pair];
      if (value === undefined) throw usageError('start', `"--env ${pair}": the shell has no such variable`);
      return [pair, value];
    }),
  );
}
