/** All that must hold beyond the shape of the file, in one place. */
import type { ServiceSpec } from '../protocol/index.js';
import type { Report } from './diagnostic.js';
import type { Draft } from './draft.js';
import { checkAlerts } from './rules/alerts.js';
import { linkDependencies, type Pair } from './rules/dependencies.js';
import type { ReleaseDraft } from './draft/release.js';
import { checkFiles } from './rules/files.js';
import { checkGroups, checkReleased } from './rules/groups.js';
import { checkNames } from './rules/names.js';
import { checkPlainSecrets, checkPlainSecretsOfRelease } from './rules/plain-secrets.js';
import { checkPorts } from './rules/ports.js';
import { checkJudged, checkReleases } from './rules/release.js';
import { checkSchedule } from './rules/schedule.js';
import { checkService } from './rules/service.js';

/** Returns the finished specifications: dependencies can be told only when all services are known. */
export async function checkDrafts(pairs: readonly Pair[], report: Report): Promise<ServiceSpec[]> {
  for (const { draft, spec } of pairs) {
    checkService(draft, report);
    checkPlainSecrets(draft.env, report);
    await checkSchedule(draft, report);
    await checkFiles(draft, spec, report);
    checkReleased({ draft, spec }, report);
  }
  checkAlerts(pairs[0]?.draft.alerts ?? [], report);
  checkNames(
    pairs.map(({ draft }) => draft),
    report,
  );
  checkPorts(pairs, report);
  return linkDependencies(pairs, report);
}

export function checkReleaseDrafts(
  releases: readonly ReleaseDraft[],
  { drafts, folder }: { readonly drafts: readonly Draft[]; readonly folder: string },
  report: Report,
): void {
  checkGroups(releases, drafts, report);
  checkReleases(releases, folder, report);
  for (const release of releases) checkPlainSecretsOfRelease(release, report);
}

/** What is worth saying of groups that are right. */
export function adviseOnReleases(releases: readonly ReleaseDraft[], report: Report): void {
  for (const release of releases) checkJudged(release, report);
}
