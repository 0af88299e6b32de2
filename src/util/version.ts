/** Which of two versions comes first, as semver orders them. */

export interface SemanticVersion {
  readonly numbers: readonly [major: number, minor: number, patch: number];
  /** Behind the `-`; empty: none. */
  readonly prerelease: readonly string[];
}

const FORM = /^v?(\d+)\.(\d+)\.(\d+)(?:-([\da-z.-]+))?(?:\+[\da-z.-]+)?$/i;

/** undefined: it is none. */
export function parseSemanticVersion(text: string): SemanticVersion | undefined {
  const [matched, major, minor, patch, prerelease] = FORM.exec(text.trim()) ?? [];
  if (matched === undefined) return undefined;
  return {
    numbers: [Number(major), Number(minor), Number(patch)],
    prerelease: prerelease === undefined ? [] : prerelease.split('.'),
  };
}

/** Below 0: the first one comes first. undefined: one of them is no semantic version. */
export function compareVersions(one: string, other: string): number | undefined {
  const [a, b] = [parseSemanticVersion(one), parseSemanticVersion(other)];
  if (!a || !b) return undefined;
  const at = a.numbers.findIndex((number, index) => number !== b.numbers[index]);
  if (at >= 0) return a.numbers[at]! - b.numbers[at]!;
  if (a.prerelease.length === 0 || b.prerelease.length === 0)
    return b.prerelease.length - a.prerelease.length;
  return comparePrereleases(a.prerelease, b.prerelease);
}

/** Numbers come before words, and what is longer comes behind what it begins with. */
function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  for (const [index, word] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    if (word === other) continue;
    const [first, second] = [isNumber(word), isNumber(other)];
    if (first && second) return Number(word) - Number(other);
    if (first !== second) return first ? -1 : 1;
    return word < other ? -1 : 1;
  }
  return a.length - b.length;
}

function isNumber(word: string): boolean {
  return /^\d+$/.test(word);
}
