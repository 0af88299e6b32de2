/**
 * What the releases of one group say together: which one serves, which one did before it, where a rollback goes, and what may be forgotten
 * of them. They come newest first.
 */
import { servesOn } from '../protocol/index.js';
import type { ReleaseRun } from './release-run.js';

/** Of each group; more, where more is needed. */
const KEPT = 200;

type Runs = readonly ReleaseRun[];

/** The last one that came over the line and was not sent back. */
export function currentOf(runs: Runs): ReleaseRun | undefined {
  return runs.find(serves);
}

/** What served before this one. */
export function beforeOf(runs: Runs, run: ReleaseRun): ReleaseRun | undefined {
  return runs.find((each) => each !== run && serves(each));
}

/** It has a folder, which what serves already and was asked for again has not. */
export function hasServedWell({ view: { kind, status, folder, build } }: ReleaseRun): boolean {
  return kind !== 'plan' && status === 'succeeded' && folder !== null && build !== null;
}

/** Where a rollback goes: to the last good one before the one that serves, with another build. */
export function wayBackOf(runs: Runs): ReleaseRun | undefined {
  const current = currentOf(runs);
  const left = leftOf(runs);
  const isBefore = (run: ReleaseRun): boolean =>
    !current || (placeOf(run) < placeOf(current) && run.view.build?.sha256 !== current.view.build?.sha256);
  return runs.find((run) => hasServedWell(run) && !left.has(placeOf(run)) && isBefore(run));
}

/** In the order of releases: what serves again is as old as it was when it served first. */
export function placeOf({ id, view }: ReleaseRun): number {
  return Number(view.restores ?? id);
}

/** Places of those that were gone back from: they are not good, unless somebody went to them again. */
function leftOf(runs: Runs): Set<number> {
  const left = new Set<number>();
  for (const run of runs.filter(hasServedWell).reverse()) {
    const { restores, previous } = run.view;
    if (restores === null || previous === null) continue;
    const from = runs.find(({ id }) => id === previous);
    const place = from ? placeOf(from) : Number(previous);
    left.delete(placeOf(run));
    if (place > placeOf(run)) left.add(place);
  }
  return left;
}

/** Those that changed nothing go first, the oldest first. What serves, is made, or may be gone back to stays. */
export function forgettable(runs: Runs, keep: number): ReleaseRun[] {
  const excess = runs.length - KEPT;
  if (excess <= 0) return [];
  const live = [...runs.filter((run) => !run.hasEnded), ...runs.filter(serves).slice(0, 1)];
  const needed = new Set([
    ...live,
    ...live.map((run) => beforeOf(runs, run)),
    wayBackOf(runs),
    ...runs.filter(hasServedWell).slice(0, keep + 1),
  ]);
  const old = runs.filter((run) => !needed.has(run)).reverse();
  return [...old.filter(changedNothing), ...old.filter((run) => !changedNothing(run))].slice(0, excess);
}

/** A plan, or what served already. */
function changedNothing({ view: { kind, status, folder } }: ReleaseRun): boolean {
  return kind === 'plan' || (status === 'succeeded' && folder === null);
}

/** It is what the services are. */
function serves({ state, view }: ReleaseRun): boolean {
  if (view.kind === 'plan') return false;
  if (state.id === 'ended') {
    const hasStayed = state.outcome === 'succeeded' || servesOn(view);
    return hasStayed && view.build !== null && view.folder !== null;
  }
  return state.id === 'at' && (state.stage === 'bake' || state.stage === 'finish');
}
