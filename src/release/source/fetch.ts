/** The stage `fetch`: the build that was chosen comes into the store, or is there already. */
import { formatBytes } from '../../util/index.js';
import { ArtifactStore, type StoredArtifact } from '../artifact-store.js';
import type { BuildChoice, Stage, StageResult } from '../job.js';
import { openSource } from './open.js';
import { chooseBuild } from './resolve.js';
import { Scene } from './scene.js';

export const fetchBuild: Stage = async (job, context) => {
  const scene = new Scene('fetch', job, context);
  const choice = job.choice ?? (await chooseBuild(job, scene, context));
  const stored = await inStore(new ArtifactStore(job.home), choice);
  if (stored) return resultOf(stored, choice, scene, 'is in the store already');
  const source = await openSource(job, scene);
  const fetched = await source.bring(choice);
  return resultOf(fetched, choice, scene, 'fetched');
};

/** Only what cannot be another one meanwhile. */
async function inStore(
  store: ArtifactStore,
  { sha256, identity }: BuildChoice,
): Promise<StoredArtifact | null> {
  if (sha256 !== null) return store.find(sha256);
  return identity === null ? null : store.findByIdentity(identity);
}

function resultOf(
  { sha256, path, provenance }: StoredArtifact,
  choice: BuildChoice,
  scene: Scene,
  how: string,
): StageResult {
  const { commit, version, from } = choice;
  return {
    build: { sha256, bytes: provenance.bytes, commit, version, from: scene.redactor.text(from) },
    artifact: path,
    notes: scene.notes,
    text: `${formatBytes(provenance.bytes)} ${how}`,
  };
}
