/**
 * Decides which job of all pipelines of a commit is the build, and says of every other one why it is not. Pure.
 *
 * The newest pipeline need not have the build: a schedule or a merge request makes one of the same commit without it. And what the
 * server says of expiry is not asked: it tells that archives are gone while they are there (kept as the latest, or not swept yet).
 */
import type { ReleaseCandidate } from '../../../protocol/index.js';
import { candidate } from '../source.js';
import { archiveOf, dayOf, relative } from '../words.js';
import type { Job, Pipeline } from './api.js';

export interface PipelineJobs {
  readonly pipeline: Pipeline;
  readonly jobs: readonly Job[];
}

/** Whether the server gave its archive; those that are absent were not asked for. */
export type Looks = ReadonlyMap<number, 'there' | 'gone'>;

/** Jobs whose archive may be the build: the one that finished last comes first. */
export function order(all: readonly PipelineJobs[], name: string): Job[] {
  return all
    .flatMap(({ jobs }) => jobs)
    .filter((job) => job.name === name && job.status === 'success')
    .sort((a, b) => finishedAt(b) - finishedAt(a) || b.id - a.id);
}

export function judge(
  all: readonly PipelineJobs[],
  name: string,
  looks: Looks,
  now: number,
): ReleaseCandidate[] {
  const chosen = order(all, name).find(({ id }) => looks.get(id) === 'there');
  return all.flatMap(({ pipeline, jobs }) => {
    const common = { pipeline: String(pipeline.id), origin: pipeline.source ?? null };
    const named = jobs.filter((job) => job.name === name);
    if (named.length === 0)
      return [
        candidate({
          ...common,
          name: '-',
          status: pipeline.status,
          url: pipeline.web_url ?? null,
          verdict: `has no job "${name}"${jobs.length === 0 ? '' : `, but ${listed(jobs)}`}`,
        }),
      ];
    return named.map((job) =>
      candidate({
        ...common,
        name: `${job.name} (job ${job.id})`,
        status: job.status,
        archive: archive(job),
        expiresAt: job.artifacts_expire_at ?? null,
        url: job.web_url ?? null,
        verdict: verdictOf(job, chosen, looks, now),
        isChosen: job === chosen,
      }),
    );
  });
}

function verdictOf(job: Job, chosen: Job | undefined, looks: Looks, now: number): string {
  if (job.status !== 'success') return unfinished(job.status);
  const look = looks.get(job.id);
  const expired = expiryOf(job, now);
  if (job === chosen)
    return expired === null ? 'chosen' : `chosen: ${expired} by its date, but it is still there`;
  if (look === undefined) return `older than job ${chosen?.id ?? '-'}`;
  return whyGone(job, now);
}

/** Of a job whose archive the server does not have. */
export function whyGone(job: Job, now: number): string {
  if (job.erased_at) return `was erased on ${dayOf(job.erased_at)}`;
  const expired = expiryOf(job, now);
  if (expired !== null) return `${expired}, on ${dayOf(job.artifacts_expire_at!)}`;
  return 'has uploaded no archive';
}

function expiryOf(job: Job, now: number): string | null {
  const at = job.artifacts_expire_at;
  return at && Date.parse(at) <= now ? `expired ${relative(at, now)}` : null;
}

export function unfinished(status: string): string {
  switch (status) {
    case 'failed':
      return 'failed';
    case 'canceled':
    case 'canceling':
      return 'was cancelled';
    case 'manual':
      return 'was not started: it is a manual job';
    case 'skipped':
      return 'was skipped';
    default:
      return `is not finished (${status})`;
  }
}

function archive({ artifacts_file: file, artifacts }: Job): string | null {
  if (file) return archiveOf(file.filename, file.size);
  // `artifacts_file` goes with the expiry; others of them are logs and reports.
  const listedArchive = artifacts?.find(({ file_type }) => file_type === 'archive');
  return listedArchive ? archiveOf(listedArchive.filename ?? 'artifacts.zip', listedArchive.size) : null;
}

function finishedAt({ finished_at: finished, created_at: created }: Job): number {
  return Date.parse(finished ?? created ?? '') || 0;
}

const SHOWN_NAMES = 4;

/** `"lint", "deploy"` */
function listed(jobs: readonly Job[]): string {
  const names = [...new Set(jobs.map(({ name }) => name))];
  const more = names.length > SHOWN_NAMES ? ` and ${names.length - SHOWN_NAMES} more` : '';
  return `${names
    .slice(0, SHOWN_NAMES)
    .map((name) => `"${name}"`)
    .join(', ')}${more}`;
}
