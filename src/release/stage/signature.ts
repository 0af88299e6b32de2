/** A signature is checked by a program that people trust for that (minisign, cosign, gpg): it gets the archive and says yes or no. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { UpkeepError } from '../../protocol/index.js';
import { commandEnvironment } from '../command/environment.js';
import { logPath } from '../command/log-path.js';
import { maskWith, secretsOf } from '../command/mask.js';
import { runCommand, showCommand } from '../command/run-command.js';
import type { StageContext, StageJob } from '../job.js';

const TIMEOUT_MS = 60_000;

/** Throws `release-refused` unless it exits with 0. */
export async function checkSignature(job: StageJob, artifact: string, context: StageContext): Promise<void> {
  const { signature } = job.spec;
  if (!signature) return;
  const isPlaced = signature.argv.some((word) => word.includes('{file}'));
  const argv = isPlaced
    ? signature.argv.map((word) => word.replaceAll('{file}', () => artifact))
    : [...signature.argv, artifact];
  const refuse = (fact: string, hint: string, details?: unknown): never => {
    const what = `Cannot trust build ${basename(artifact)} of release ${job.id}`;
    throw new UpkeepError('release-refused', `${what}: ${fact}`, { hint, details });
  };
  if (statSync(artifact).isDirectory()) {
    refuse(
      'it is a folder, which has no signature',
      'release an archive, or take signature out of the configuration',
    );
  }
  const env = commandEnvironment(job, { stage: 'stage' });
  const mask = maskWith(await secretsOf(job, env));
  context.say(`checking the signature: ${showCommand(argv, mask)}`);
  const log = logPath(job, 'signature');
  const { failure, hint, lastLines } = await runCommand({
    argv,
    cwd: signature.cwd ?? job.spec.folder,
    env,
    timeoutMs: TIMEOUT_MS,
    log,
    mask,
    signal: context.signal,
  });
  if (failure !== null) {
    const next =
      hint ?? 'see who built it, and that the key is the right one; all that was printed is in ' + log;
    refuse(`"${showCommand(signature.argv, mask)}" says no: ${failure}`, next, { lines: lastLines, log });
  }
}
