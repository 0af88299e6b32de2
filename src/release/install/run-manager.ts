/** Runs a package manager, and tells why where it fails. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { UpkeepError } from '../../protocol/index.js';
import { locate } from '../../system/index.js';
import type { Environment } from '../command/environment.js';
import { logPath } from '../command/log-path.js';
import { maskWith, secretsOf } from '../command/mask.js';
import { runCommand, showCommand } from '../command/run-command.js';
import type { StageContext, StageJob } from '../job.js';
import { adviseInstall, skippedScripts } from './advice.js';

const run = promisify(execFile);
const ASK_MS = 60_000;

export interface InstallCommand {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Environment;
}

/** Answers what people should know of what it printed. Throws `install-failed`. */
export async function runInstaller(
  job: StageJob,
  { argv, cwd, env }: InstallCommand,
  context: StageContext,
): Promise<{ readonly skipped: readonly string[] }> {
  const skipped: string[] = [];
  let advice: string | undefined; // npm prints how it is used after what was wrong
  const mask = maskWith(await secretsOf(job, env));
  const shown = showCommand(argv, mask);
  context.say(`installing: ${shown}`);
  const log = logPath(job, 'install');
  const end = await runCommand({
    argv,
    cwd,
    env,
    timeoutMs: job.spec.install.timeoutMs,
    log,
    mask,
    signal: context.signal,
    onLine: (line) => {
      skipped.push(...skippedScripts([line]));
      advice ??= adviseInstall(line);
    },
  });
  if (end.failure === null) return { skipped };
  throw new UpkeepError(
    'install-failed',
    `Cannot install release ${job.id} with "${shown}": ${end.failure}`,
    {
      hint: end.hint ?? advice ?? `all that it printed is in ${log}`,
      details: { lines: end.lastLines, log },
    },
  );
}

/** Where it is, and `11.19.1`. Throws `release-refused` where it is not there, or does not run. */
export async function findManager(
  job: StageJob,
  program: string,
  lockfile: string,
  { cwd, env }: Omit<InstallCommand, 'argv'>,
): Promise<{ readonly path: string; readonly version: string }> {
  const path = locate(program, cwd, env.PATH);
  const refuse = (fact: string, hint: string, cause?: unknown): never => {
    throw new UpkeepError('release-refused', `Cannot install release ${job.id} by its ${lockfile}: ${fact}`, {
      hint,
      cause,
    });
  };
  const known =
    path ??
    refuse(
      `${program} is not in PATH (${env.PATH})`,
      `install ${program} for the user of the daemon, or set install to a command`,
    );
  try {
    const { stdout } = await run(known, ['--version'], { cwd, env, timeout: ASK_MS });
    return { path: known, version: stdout.trim().split('\n').at(-1)! };
  } catch (error) {
    return refuse(
      `${known} --version fails`,
      `see what ${known} --version says in the folder of the release`,
      error,
    );
  }
}
