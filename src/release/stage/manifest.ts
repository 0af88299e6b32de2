/**
 * What a build says of itself, against what was asked for: the archive of another commit, another version, or with a lockfile that
 * was changed after the build must not go by the name of this one.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { BuildManifest, UpkeepError, type ReleaseCheck, type ReleaseTarget } from '../../protocol/index.js';

export const MANIFEST = 'upkeep.build.json';
export const LOCKFILES = ['npm-shrinkwrap.json', 'package-lock.json', 'pnpm-lock.yaml', 'yarn.lock'] as const;

export interface BuildFacts {
  readonly commit: string | null;
  readonly version: string | null;
  /** sha256, as the manifest says. */
  readonly lockfile: string | null;
  /** For a person. */
  readonly source: string;
}

const Package = v.object({ version: v.optional(v.string()), gitHead: v.optional(v.string()) });

/** @param build where it was unpacked to; `root`, which is the release, may lie below, and is looked at first */
export function readFacts(build: string, root: string): BuildFacts {
  const places = build === root ? [root] : [root, build];
  const path = places.map((place) => join(place, MANIFEST)).find((file) => existsSync(file));
  const manifest = path === undefined ? {} : read(path, MANIFEST, BuildManifest);
  const package_ = existsSync(join(root, 'package.json'))
    ? read(join(root, 'package.json'), 'package.json', Package)
    : {};
  return {
    commit: manifest.commit ?? package_.gitHead ?? null,
    version: manifest.version ?? package_.version ?? null,
    lockfile: manifest.lockfile ?? null,
    source: path === undefined ? 'package.json' : MANIFEST,
  };
}

function read<T extends v.GenericSchema>(path: string, name: string, schema: T): v.InferOutput<T> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), readFileSync(path, 'utf8'));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const key = v.getDotPath(issue);
  throw new UpkeepError(
    'release-refused',
    `Cannot read "${name}" of the build: ${key === null ? issue.message : `${key}: ${issue.message}`}`,
    {
      hint: 'correct it where it is made, and build again',
    },
  );
}

export interface Asked {
  readonly target: ReleaseTarget;
  /** What the source knows of it: the pipeline's commit, the tag of the repository. */
  readonly commit: string | null;
}

/** All of them, in the order in which they matter. */
export function judgeFacts(root: string, facts: BuildFacts, asked: Asked): ReleaseCheck[] {
  return [judgeCommit(facts, asked), judgeVersion(facts, asked), judgeLockfile(root, facts)].flatMap(
    (check) => check ?? [],
  );
}

function judgeCommit({ commit, source }: BuildFacts, asked: Asked): ReleaseCheck | undefined {
  const name = 'build: commit';
  const wanted = asked.target.commit ?? asked.commit;
  if (wanted === null) return undefined;
  if (commit !== null) {
    const isSame =
      commit.startsWith(wanted.toLowerCase()) || wanted.toLowerCase().startsWith(commit.toLowerCase());
    if (isSame) return passed(name, `${source} names commit ${short(commit)}, which was asked for`);
    const hint = `build commit ${short(wanted)} again, or ask for ${short(commit)}; the job may have checked out another commit`;
    return failed(
      name,
      `${source} of the build names commit ${short(commit)}, and ${short(wanted)} was asked for`,
      hint,
    );
  }
  const hint = `let the build write ${MANIFEST}: {"commit": "<the whole hash>"}`;
  if (asked.commit !== null)
    return {
      stage: 'stage',
      name,
      verdict: 'unknown',
      text: `commit ${short(wanted)} is known from the source only; the build names none`,
      hint,
    };
  return failed(name, `the build names no commit, and ${short(wanted)} was asked for`, hint);
}

function judgeVersion({ version, source }: BuildFacts, { target }: Asked): ReleaseCheck | undefined {
  const name = 'build: version';
  const wanted = target.version;
  if (wanted === undefined) return undefined;
  const hint = `ask for the version that was built, or build version ${wanted}`;
  if (version === null)
    return failed(
      name,
      `the build names no version, and ${wanted} was asked for`,
      `let the build write ${MANIFEST}: {"version": "${wanted}"}`,
    );
  if (bare(version) === bare(wanted))
    return passed(name, `${source} names version ${version}, which was asked for`);
  return failed(name, `${source} of the build names version ${version}, and ${wanted} was asked for`, hint);
}

function judgeLockfile(root: string, { lockfile }: BuildFacts): ReleaseCheck | undefined {
  const name = 'build: lockfile';
  if (lockfile === null) return undefined;
  const there = LOCKFILES.filter((file) => existsSync(join(root, file)));
  const same = there.find((file) => hashOf(join(root, file)) === lockfile.toLowerCase());
  if (same !== undefined) return passed(name, `${same} is the one that the build was made with`);
  const hint = 'build again, and pack the lockfile that was used: another one installs what was never tested';
  if (there.length === 0) return failed(name, `${MANIFEST} names a lockfile, and the build has none`, hint);
  return failed(
    name,
    `${there.join(' and ')} is not the lockfile that ${MANIFEST} names (sha256 ${lockfile.slice(0, 12)}…)`,
    hint,
  );
}

/** `v1.2.3` is a tag of 1.2.3. */
function bare(version: string): string {
  return version.replace(/^v(?=\d)/, '');
}

function short(commit: string): string {
  return commit.slice(0, 12);
}

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function passed(name: string, text: string): ReleaseCheck {
  return { stage: 'stage', name, verdict: 'passed', text };
}

function failed(name: string, text: string, hint: string): ReleaseCheck {
  return { stage: 'stage', name, verdict: 'failed', text, hint };
}
