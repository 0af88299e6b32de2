import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { connectIfUsed, homeFrom } from '../../client/index.js';
import { UpkeepError, type EnvironmentView } from '../../protocol/index.js';
import { usageError } from '../arguments.js';
import { defineCommand } from '../command.js';

export const command = defineCommand({
  summary: 'Run a command here with the environment and the folder of a service',
  usage: 'exec <service> -- <command> [args...]',
  examples: ['upkeep exec api -- npm run migrate'],
  options: {},
  operands: 'services',
  async run({ operands: [name, ...words], rest = [] }) {
    const argv = [...words, ...rest];
    if (name === undefined || argv.length === 0) throw usageError('exec', 'it needs a service and a command');
    const environment = await connectIfUsed(homeFrom(process.env)).call('environment', {
      params: { name },
      query: { reveal: '1' },
    });
    return runIn(environment, argv);
  },
});

/** Answers the exit code as a shell would: 128 + number of the signal. */
function runIn({ cwd, entries }: EnvironmentView, [file, ...args]: readonly string[]): Promise<number> {
  const env = Object.fromEntries(entries.map(({ key, value }) => [key, value]));
  const child = spawn(file!, args, { cwd, env, stdio: 'inherit' });
  // The terminal sends ctrl-C to both; the command decides what it means, this process only waits.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((onExit, onError) => {
    child.once('exit', (code, signal) => onExit(code ?? 128 + constants.signals[signal!]));
    child.once('error', (cause) => onError(cannotRun(file!, cwd, cause)));
  });
}

function cannotRun(file: string, cwd: string, cause: Error): UpkeepError {
  return new UpkeepError('start-failed', `Cannot run "${file}" in "${cwd}": ${cause.message}`, { cause });
}
