/** Hooks: commands that people add to a release. Each is told which release it is about, and the first that fails ends it. */
import { existsSync } from 'node:fs';
import { UpkeepError, type HookPoint, type HookSpec, type ReleaseStage } from '../../protocol/index.js';
import { nodeOf } from '../install/node-of.js';
import { currentIn } from '../folder/index.js';
import type { StageContext, StageJob } from '../job.js';
import { settler } from '../settle.js';
import { commandEnvironment } from './environment.js';
import { logPath } from './log-path.js';
import { maskWith, secretsOf } from './mask.js';
import { runCommand, showCommand } from './run-command.js';

export type HookContext = Pick<StageContext, 'say' | 'signal'>;

const STAGE_OF: Readonly<Record<HookPoint, ReleaseStage>> = {
  afterStage: 'stage',
  afterInstall: 'install',
  beforeSwitch: 'prepare',
  afterSwitch: 'switch',
  afterRelease: 'finish',
  onFailure: 'finish',
};

/**
 * One after the other, in the folder of the release (in that of the group where there is none), or the one that it names. Throws `release-refused` with
 * the last lines of the one that failed.
 */
export async function runHooks(
  point: HookPoint,
  job: StageJob,
  context: HookContext,
  options: { /** At which it failed, for `onFailure`. */ readonly stage?: ReleaseStage } = {},
): Promise<void> {
  const stage = options.stage ?? STAGE_OF[point];
  for (const hook of job.spec.hooks[point]) await runHook(`hook ${point}`, hook, stage, job, context);
}

/** Also for the build, which is a hook in all but name. */
export async function runHook(
  what: string,
  hook: HookSpec,
  stage: ReleaseStage,
  job: StageJob,
  context: HookContext,
): Promise<void> {
  const current = currentIn(job.spec.folder);
  const settle = settler(current, job.folder ?? current);
  const argv = hook.run.map(settle);
  const env = commandEnvironment(job, { stage, node: nodeOf(job.spec) });
  const mask = maskWith(await secretsOf(job, env));
  const shown = showCommand(argv, mask);
  context.say(`${what}: ${shown}`);
  const log = logPath(job, what.replaceAll(' ', '-'));
  const { failure, hint, lastLines } = await runCommand({
    argv,
    cwd: hook.cwd === undefined ? folderFor(job) : settle(hook.cwd),
    env,
    timeoutMs: hook.timeoutMs,
    log,
    mask,
    signal: context.signal,
  });
  if (failure === null) return;
  throw new UpkeepError(
    'release-refused',
    `Cannot pass ${what} "${shown}" of release ${job.id}: ${failure}`,
    {
      hint: hint ?? `all that it printed is in ${log}`,
      details: { lines: lastLines, log },
    },
  );
}

/** Where it is, or is to be found. */
function folderFor({ folder, spec }: StageJob): string {
  return folder !== null && existsSync(folder) ? folder : spec.folder;
}
