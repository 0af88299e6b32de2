/** One line that says what to do where no job has the build. Pure. */
import { mostSimilar } from '../../../util/index.js';
import type { Job } from './api.js';
import { order, unfinished, whyGone, type PipelineJobs } from './judge.js';

const ELSE = 'publish to the package registry, where nothing expires';

export function remedy(all: readonly PipelineJobs[], name: string, now: number): string {
  if (all.length === 0)
    return 'the commit has no pipeline: push it to a branch whose pipeline builds it, or run one';
  const best = order(all, name)[0];
  if (best) return aboutGone(all, best, name, now);
  const named = all.flatMap(({ jobs }) => jobs).filter((job) => job.name === name);
  const latest = named.sort((a, b) => b.id - a.id)[0];
  if (latest) return aboutUnfinished(latest, name);
  const near = mostSimilar(name, new Set(all.flatMap(({ jobs }) => jobs.map((job) => job.name))));
  return near === undefined
    ? `let a job "${name}" build this commit, or set source.job to the one that does`
    : `set source.job: did you mean "${near}"?`;
}

function aboutGone(all: readonly PipelineJobs[], job: Job, name: string, now: number): string {
  const own = all.find(({ jobs }) => jobs.includes(job))!.pipeline.id;
  const newer = all.filter(
    ({ pipeline, jobs }) => pipeline.id > own && jobs.every((each) => each.name !== name),
  );
  const skipped = newer.map(({ pipeline }) => `newer pipeline ${pipeline.id} has no job "${name}"`);
  const again = `re-run job ${job.id}${job.web_url ? `: ${job.web_url}` : ''}`;
  return [
    `job ${job.id} "${name}" ${whyGone(job, now)}`,
    ...skipped.slice(0, 2),
    `${again}, or ${ELSE}`,
  ].join('; ');
}

function aboutUnfinished({ id, status, web_url: url }: Job, name: string): string {
  const where = url ? `: ${url}` : '';
  const isOver = ['failed', 'canceled', 'skipped', 'manual'].includes(status);
  const next = isOver ? `run it again${where}` : `wait for it, then release again${where}`;
  return `job ${id} "${name}" ${unfinished(status)}; ${next}`;
}
