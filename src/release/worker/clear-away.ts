/** Clears away what nothing needs any more: old releases of the group, builds that no release is of, what killed workers have left. */
import { ArtifactStore } from '../artifact-store.js';
import { pruneReleases } from '../folder/prune.js';
import { sweepStaging } from '../folder/sweep.js';
import type { Stage } from '../job.js';

export const clearAway: Stage = async ({ home, spec, kept = [], keptBuilds }) => {
  await sweepStaging(spec.folder);
  const current = kept.find(({ isCurrent }) => isCurrent);
  const good = kept.find(({ isGood, isCurrent }) => isGood === true && !isCurrent);
  const { removed, notes } = await pruneReleases(spec.folder, {
    keep: spec.keep,
    running: current ? [current.folder] : [],
    good: good?.folder ?? null,
  });
  // The store is the home's: what another group may go back to is not this one's to clear away.
  if (keptBuilds) await new ArtifactStore(home).prune(new Set(keptBuilds));
  return { notes, ...(removed.length > 0 ? { text: `cleared away ${removed.join(', ')}` } : {}) };
};
