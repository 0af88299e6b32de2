/** Clears away what nothing needs any more: old releases of the group, builds that no release is of, what killed workers have left. */
import { ArtifactStore } from '../artifact-store.js';
import { discardRelease, pruneReleases, type Pruned } from '../folder/prune.js';
import { sweepStaging } from '../folder/sweep.js';
import type { Stage } from '../job.js';

export const clearAway: Stage = async ({ home, spec, kept = [], keptBuilds }) => {
  await sweepStaging(spec.folder);
  const current = kept.find(({ isCurrent }) => isCurrent);
  const good = kept.find(({ isWayBack }) => isWayBack);
  const failed = new Set(kept.map(({ folder }) => folder));
  for (const { folder, hasFailed } of kept) if (!hasFailed) failed.delete(folder); // one that failed may share it with one that did not
  const all: Pruned[] = [];
  for (const folder of failed) all.push(await discardRelease(folder));
  const running = current ? [current.folder] : [];
  all.push(await pruneReleases(spec.folder, { keep: spec.keep, running, good: good?.folder ?? null }));
  const removed = all.flatMap((each) => each.removed);
  const notes = all.flatMap((each) => each.notes);
  // The store is the home's: what another group may go back to is not this one's to clear away.
  if (keptBuilds) await new ArtifactStore(home).prune(new Set(keptBuilds));
  return { notes, ...(removed.length > 0 ? { text: `cleared away ${removed.join(', ')}` } : {}) };
};

/** What was looked at and is not to serve. */
export const discard: Stage = async ({ folder }) => {
  const { notes } = folder === null ? { notes: [] } : await discardRelease(folder);
  return { notes };
};
