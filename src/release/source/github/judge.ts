/** Decides which artifact of all runs of a commit is the build, and says of every other one why it is not. Pure. */
import type { ReleaseCandidate } from '../../../protocol/index.js';
import { mostSimilar } from '../../../util/index.js';
import { candidate } from '../source.js';
import { archiveOf, dayOf, relative } from '../words.js';
import type { Artifact, Run } from './api.js';

export interface RunArtifacts {
  readonly run: Run;
  readonly artifacts: readonly Artifact[];
}

interface Upload {
  readonly run: Run;
  readonly artifact: Artifact;
}

/** Whether the server gave it; those that are absent were not asked for. */
export type Looks = ReadonlyMap<number, 'there' | 'gone'>;

/** A run that goes on may be the one whose last job makes this release: its artifact is there as a whole. */
const BAD_ENDS = new Set([
  'failure',
  'cancelled',
  'timed_out',
  'startup_failure',
  'action_required',
  'stale',
]);

/** Those that may be the build: the newest comes first. */
export function order(all: readonly RunArtifacts[], name: string): Upload[] {
  return all
    .filter(({ run }) => !BAD_ENDS.has(run.conclusion ?? ''))
    .flatMap(({ run, artifacts }) => artifacts.map((artifact) => ({ run, artifact })))
    .filter(({ artifact }) => artifact.name === name)
    .sort((a, b) => madeAt(b.artifact) - madeAt(a.artifact) || b.artifact.id - a.artifact.id);
}

export function judge(
  all: readonly RunArtifacts[],
  name: string,
  looks: Looks,
  now: number,
): ReleaseCandidate[] {
  const chosen = order(all, name).find(({ artifact }) => looks.get(artifact.id) === 'there')?.artifact;
  return all.flatMap(({ run, artifacts }) => {
    const status = run.conclusion ?? run.status ?? '-';
    const common = { pipeline: String(run.id), origin: run.event ?? null, status, url: run.html_url ?? null };
    const named = artifacts.filter((artifact) => artifact.name === name);
    if (named.length === 0)
      return [candidate({ ...common, name: run.name ?? '-', verdict: `has no artifact "${name}"` })];
    return named.map((artifact) =>
      candidate({
        ...common,
        name: `${artifact.name} (artifact ${artifact.id})`,
        archive: archiveOf(`${artifact.name}.zip`, artifact.size_in_bytes),
        expiresAt: artifact.expires_at ?? null,
        verdict: verdictOf(run, artifact, chosen, looks, now),
        isChosen: artifact === chosen,
      }),
    );
  });
}

function verdictOf(
  run: Run,
  artifact: Artifact,
  chosen: Artifact | undefined,
  looks: Looks,
  now: number,
): string {
  if (BAD_ENDS.has(run.conclusion ?? '')) return `its run ended with ${run.conclusion}`;
  if (artifact === chosen)
    return artifact.expired ? 'chosen: it is told to be expired, but it is still there' : 'chosen';
  return looks.has(artifact.id) ? whyGone(artifact, now) : `older than artifact ${chosen?.id ?? '-'}`;
}

function whyGone({ expires_at: at }: Artifact, now: number): string {
  return at && Date.parse(at) <= now ? `expired ${relative(at, now)}, on ${dayOf(at)}` : 'is gone';
}

/** One line that says what to do where no run has the build. */
export function remedy(all: readonly RunArtifacts[], name: string, now: number): string {
  if (all.length === 0)
    return 'no workflow has run for this commit: push it to a branch whose workflow builds it';
  const [best] = order(all, name);
  if (best) {
    const { run, artifact } = best;
    const newer = all.filter(
      (each) => each.run.id > run.id && each.artifacts.every((one) => one.name !== name),
    );
    return [
      `artifact ${artifact.id} "${name}" ${whyGone(artifact, now)}`,
      ...newer.slice(0, 2).map((each) => `newer run ${each.run.id} has no artifact "${name}"`),
      `re-run run ${run.id}${run.html_url ? `: ${run.html_url}` : ''}, or attach the build to a release, where nothing expires`,
    ].join('; ');
  }
  const bad = all.find(({ artifacts }) => artifacts.some((one) => one.name === name))?.run;
  if (bad)
    return `run ${bad.id} ended with ${bad.conclusion}; re-run it${bad.html_url ? `: ${bad.html_url}` : ''}`;
  const going = all.find(({ run }) => run.status !== 'completed')?.run;
  if (going) return `run ${going.id} is not finished; wait for it, then release again`;
  const near = mostSimilar(name, new Set(all.flatMap(({ artifacts }) => artifacts.map((one) => one.name))));
  return near === undefined
    ? `let a workflow upload an artifact "${name}" for this commit, or correct source.artifact`
    : `correct source.artifact: did you mean "${near}"?`;
}

function madeAt({ created_at: at }: Artifact): number {
  return Date.parse(at ?? '') || 0;
}
