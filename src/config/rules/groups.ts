/** Which services belong to which group of releases, and that each belongs to one. */
import type { Report } from '../diagnostic.js';
import type { Draft } from '../draft.js';
import { groupsOf, type ReleaseDraft } from '../draft/release.js';
import { mostSimilar } from '../../util/index.js';
import { isInRelease } from '../normalize/in-release.js';
import type { Pair } from './dependencies.js';

export function checkGroups(
  releases: readonly ReleaseDraft[],
  drafts: readonly Draft[],
  report: Report,
): void {
  const known = drafts.map(({ name }) => name);
  const owners = groupsOf(releases);
  for (const release of releases) {
    checkName(release, known, report);
    if (!release.broken.has('services')) checkServices(release, known, report);
    for (const [index, service] of release.services.entries()) {
      const owner = owners.get(service);
      if (owner && owner.group !== release.name && known.includes(service))
        reportTwice(release, index, owner.group, report);
    }
  }
}

function checkServices(release: ReleaseDraft, known: readonly string[], report: Report): void {
  const {
    services,
    place,
    release: { services: written },
  } = release;
  if (services.length === 0) {
    report({
      path: place(['services']),
      message: 'no service is listed',
      hint: `write services: [${known[0] ?? 'api'}]`,
    });
  }
  for (const [index, service] of services.entries()) {
    const isTwice = services.indexOf(service) < index;
    if (known.includes(service) && !isTwice) continue;
    const near = mostSimilar(service, known);
    const list = known.length > 0 ? `known services: ${known.join(', ')}` : 'the file has no services';
    report({
      path: written ? placeOfService(release, index) : place([]),
      at: written ? 'value' : 'key',
      message: isTwice ? `"${service}" is listed twice` : `"${service}" is not a service of this file`,
      hint: isTwice
        ? 'remove one of the two'
        : near
          ? `did you mean "${near}"?`
          : `name its services: [...] (${list})`,
    });
  }
}

/** `upkeep release web` means the group and the service alike. */
function checkName({ name, services, place }: ReleaseDraft, known: readonly string[], report: Report): void {
  if (!known.includes(name) || services.includes(name)) return;
  report({
    path: place([]),
    at: 'key',
    message: `the group is called "${name}" like a service that is not in it`,
    hint: 'give the group another name, or list the service in it',
  });
}

function reportTwice(release: ReleaseDraft, index: number, owner: string, report: Report): void {
  report({
    path: placeOfService(release, index),
    message: `"${release.services[index]}" belongs to the group "${owner}" already`,
    hint: 'list it in one of the two',
  });
}

function placeOfService({ place, isList }: ReleaseDraft, index: number) {
  return isList(['services']) ? place(['services', index]) : place(['services']);
}

/** What a service has beside the release must not lie in it: it would go with it. */
export function checkReleased({ draft, spec }: Pair, report: Report): void {
  const { service, place } = draft;
  if (!spec.release) return;
  for (const [index, path] of spec.sockets.paths.entries()) {
    if (!isInRelease(path, spec.release)) continue;
    report({
      path: place(['sockets', 'paths', index]),
      message: 'this socket would lie in the release, and go with it',
      hint: 'write an absolute path, for example /run/api.sock',
    });
  }
  if (service.watch && (spec.watch === null || spec.watch.paths.length === 0)) {
    report({
      severity: 'warning',
      path: place(['watch']),
      message: 'a release does not change where it lies, so nothing is watched',
      hint: 'remove watch, or keep releases in the profile that needs them',
    });
  }
}
