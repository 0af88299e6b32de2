/** Groups of services that are released together, with the changes of the profile merged in, and what belongs to which. */
import { resolve } from 'node:path';
import * as v from 'valibot';
import type { ServiceSpec } from '../../protocol/index.js';
import { at, profilePathOf, startsWith, type DraftSource } from '../draft.js';
import type { Path } from '../diagnostic.js';
import { mergeRelease } from '../merge.js';
import { isMap, Release, type ParsedRelease } from '../schema.js';

export interface ReleaseDraft {
  readonly name: string;
  readonly release: ParsedRelease;
  /** As they are named, whether the file knows them or not. */
  readonly services: readonly string[];
  readonly folder: string;
  /** Keys that the schema refused: what is said about them is said already. */
  readonly broken: ReadonlySet<string>;
  /** Where in the file a part of the group stands: in the profile, if that has changed it. */
  place(part: Path): Path;
  /** Whether a part of it is written as a list. */
  isList(part: Path): boolean;
}

/** `folder`: where relative paths begin; `home`: where releases are that name no folder. */
export function draftReleases(
  source: DraftSource,
  { folder, home }: { readonly folder: string; readonly home: string },
): ReleaseDraft[] {
  const { raw } = source;
  const bases: readonly Path[] = [['releases'], [...profilePathOf(source), 'releases']];
  const names = bases.flatMap((base) => keysOf(at(raw, base)));
  return [...new Set(names)].map((name): ReleaseDraft => {
    const [base, over] = bases.map((path): Path => [...path, name]) as [Path, Path];
    const own = readRelease(source, base);
    const override = readRelease(source, over);
    const release = mergeRelease(own.release, override.release);
    const place = (part: Path): Path => {
      const isOver = at(raw, [...over, ...part]) !== undefined;
      return isOver && (part.length > 0 || at(raw, base) === undefined)
        ? [...over, ...part]
        : [...base, ...part];
    };
    return {
      name,
      release,
      services: release.services ?? [name],
      folder: resolve(folder, release.folder ?? resolve(home, 'releases', name)),
      broken: new Set([...own.broken, ...override.broken]),
      place,
      isList: (part) => Array.isArray(at(raw, place(part))),
    };
  });
}

/** The group of each service that belongs to one; of several the first, for the rules say that there is one too many. */
export function groupsOf(releases: readonly ReleaseDraft[]): ReadonlyMap<string, ServiceSpec['release']> {
  const groups = new Map<string, ServiceSpec['release']>();
  for (const { name, services, folder } of releases)
    for (const service of services) if (!groups.has(service)) groups.set(service, { group: name, folder });
  return groups;
}

interface ReadRelease {
  readonly release: ParsedRelease;
  readonly broken: readonly string[];
}

function readRelease({ raw, problems }: DraftSource, path: Path): ReadRelease {
  const value = at(raw, path);
  if (value === undefined) return { release: {}, broken: [] };
  if (!isMap(value)) return { release: {}, broken: Object.keys(Release.entries) };
  const isRefused = (key: string): boolean =>
    problems.some((problem) => startsWith(problem.path, [...path, key]));
  const broken = Object.keys(value).filter(isRefused);
  const rest = Object.entries(value).filter(([key]) => !broken.includes(key));
  const parsed = v.safeParse(Release, Object.fromEntries(rest));
  return { release: parsed.success ? parsed.output : {}, broken };
}

function keysOf(value: unknown): string[] {
  return isMap(value) ? Object.keys(value) : [];
}
