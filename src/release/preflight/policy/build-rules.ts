/** Whether the build is the one that is meant, and one that may go where it is to go. */
import type { PolicyRule } from '../../../protocol/index.js';
import { compareVersions, parseSemanticVersion } from '../../../util/index.js';
import { isProduction, type Offence, type PolicyFacts, type Rule } from './policy-facts.js';

export const BUILD_RULES = {
  'test-build': ({ policy, build, host }) => {
    const environment = build.manifest?.environment;
    if (environment === undefined || isSameTarget(environment, policy.target)) return [];
    return [
      {
        text: `upkeep.build.json says that it is a build for ${environment}, and host "${host}" is ${policy.target}`,
        hint: `release the build for ${policy.target}`,
      },
    ];
  },
  commit: ({ build, target }) => {
    const asked = target.commit;
    if (asked === undefined) return mismatch(build);
    const told = build.manifest?.commit ?? build.commit;
    if (told === null) {
      const hint = 'let the build write its commit into upkeep.build.json';
      return [{ text: `the build does not say whether it is of commit ${short(asked)}`, hint }];
    }
    if (isSameCommit(asked, told)) return mismatch(build);
    const text = `the build is of commit ${short(told)}, and ${short(asked)} was asked for`;
    return [{ text, hint: `release ${short(told)}, or build ${short(asked)}` }];
  },
  'dirty-build': ({ build: { manifest } }) => {
    if (manifest?.dirty !== true) return [];
    const text = 'upkeep.build.json says that files were changed and not committed when it was built';
    return [{ text, hint: 'commit what is meant to be released, and build again' }];
  },
  'version-tag': ({ build, target }) => {
    const versions = [
      ['package.json', build.packageVersion],
      ['upkeep.build.json', build.manifest?.version ?? null],
      ['what was asked for', askedVersion(target.version, target.ref)],
    ] as const;
    const told = versions.filter((each): each is readonly [(typeof each)[0], string] => each[1] !== null);
    const [first, ...others] = told;
    const other = others.find(([, version]) => !isSameVersion(version, first![1]));
    if (!first || !other) return [];
    return [
      {
        text: `the version is ${first[1]} in ${first[0]}, and ${other[1]} in ${other[0]}`,
        hint: 'set the version in package.json, tag that commit, and build it',
      },
    ];
  },
  downgrade: ({ build, previous }) => {
    const version = build.manifest?.version ?? build.packageVersion ?? build.version;
    const running = previous?.version ?? null;
    if (version === null || running === null) return [];
    const order = compareVersions(version, running);
    if (order === undefined || order >= 0) return [];
    const text = `version ${version} is lower than ${running}, which runs (release ${previous!.id})`;
    return [{ text, hint: 'go back by upkeep rollback, or raise the version' }];
  },
} as const satisfies Partial<Record<PolicyRule, Rule>>;

/** The source says one commit, the build another. */
function mismatch({ manifest, commit }: PolicyFacts['build']): Offence[] {
  if (manifest?.commit === undefined || commit === null || isSameCommit(manifest.commit, commit)) return [];
  const text = `upkeep.build.json says commit ${short(manifest.commit)}, and its source says ${short(commit)}`;
  return [{ text, hint: 'build again: what was packed is not what was checked out' }];
}

function isSameTarget(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase() || (isProduction(one) && isProduction(other));
}

/** Short ones are the beginning of long ones. */
function isSameCommit(one: string, other: string): boolean {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  return a.startsWith(b) || b.startsWith(a);
}

function short(commit: string): string {
  return commit.slice(0, 7);
}

/** A tag counts where it is a version, as `v1.2.3` and `web@1.2.3`; a branch says nothing. */
function askedVersion(version: string | undefined, ref: string | undefined): string | null {
  if (version !== undefined) return version;
  const word = ref?.replace(/^refs\/tags\//, '').replace(/^.*@/, '');
  return word !== undefined && parseSemanticVersion(word) ? word : null;
}

function isSameVersion(one: string, other: string): boolean {
  return (compareVersions(one, other) ?? (one === other ? 0 : 1)) === 0;
}
