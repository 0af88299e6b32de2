/** What a release is in its own folder, for which `current` stands in its description. */
import { UpkeepError, type ServiceSpec, type SmokeSpec } from '../protocol/index.js';
import { currentIn } from './folder/index.js';
import type { ReleaseRun } from './release-run.js';
import { settle, settleSmoke } from './settle.js';

export function folderOf({ id, view }: ReleaseRun): string {
  if (view.folder !== null) return view.folder;
  throw new UpkeepError('release-failed', `Cannot use release ${id}: it was never staged`, {
    hint: 'release it again',
  });
}

export function servicesOf(run: ReleaseRun): ServiceSpec[] {
  return run.spec.services.map((spec) => settle(spec, currentIn(run.spec.folder), folderOf(run)));
}

export function smokeOf(run: ReleaseRun): SmokeSpec[] {
  return settleSmoke(run.spec.verify.smoke, currentIn(run.spec.folder), folderOf(run));
}
