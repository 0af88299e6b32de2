/**
 * Whether a version of Node.js is in a range as package.json, .nvmrc and .node-version have them: the common forms of
 * semver, without prereleases.
 */

type Version = readonly [major: number, minor: number, patch: number];
/** From `least`, which belongs to it, to `limit`, which does not. */
interface Span {
  readonly least: Version;
  readonly limit: Version;
}

const ZERO: Version = [0, 0, 0];
const ENDLESS: Version = [Infinity, 0, 0];
/** Blanks between an operator and its version, so that what is left parts comparators. */
const LOOSE_OPERATOR = /([<>=~^]+)\s+/g;
const COMPARATOR = /^(>=|<=|>|<|=|\^|~)?v?(\d+|[x*])(?:\.(\d+|[x*]))?(?:\.(\d+|[x*]))?$/i;
const HYPHEN = /^\s*(\S+)\s+-\s+(\S+)\s*$/;

/** undefined: the range is none that is understood here, as `lts/*`. */
export function satisfies(version: string, range: string): boolean | undefined {
  const spans = range.split('||').map(parseAlternative);
  const found = parseVersion(version);
  if (!found || spans.some((each) => each === undefined)) return undefined;
  return spans.some((each) =>
    each!.every(({ least, limit }) => !isBelow(found, least) && isBelow(found, limit)),
  );
}

function parseAlternative(text: string): Span[] | undefined {
  const [, from, to] = HYPHEN.exec(text) ?? [];
  const words =
    from && to ? [`>=${from}`, `<=${to}`] : text.trim().replace(LOOSE_OPERATOR, '$1').split(/\s+/);
  const spans = words.map((word) => parseComparator(word || '*'));
  return spans.every((span) => span !== undefined) ? spans : undefined;
}

function parseComparator(text: string): Span | undefined {
  const [matched, operator = '', ...parts] = COMPARATOR.exec(text) ?? [];
  if (matched === undefined) return undefined;
  const numbers = parts.filter((part) => part !== undefined).map(Number);
  const open = numbers.findIndex(Number.isNaN);
  const known = open < 0 ? numbers : numbers.slice(0, open);
  const [major = 0, minor = 0, patch = 0] = known;
  const least: Version = [major, minor, patch];
  const next = after(known);
  switch (operator) {
    case '>=':
      return { least, limit: ENDLESS };
    case '>':
      return { least: next, limit: ENDLESS };
    case '<':
      return { least: ZERO, limit: least };
    case '<=':
      return { least: ZERO, limit: next };
    case '~':
      return { least, limit: after(known.slice(0, 2)) };
    case '^':
      return { least, limit: after(known.slice(0, caretLength(known))) };
    default:
      return { least, limit: next };
  }
}

/** The first version behind all that begin with these numbers. */
function after(numbers: readonly number[]): Version {
  const [major, minor, patch] = numbers;
  if (major === undefined) return ENDLESS;
  if (minor === undefined) return [major + 1, 0, 0];
  return patch === undefined ? [major, minor + 1, 0] : [major, minor, patch + 1];
}

/** `^` lets everything change behind the first number that is not 0. */
function caretLength(numbers: readonly number[]): number {
  const first = numbers.findIndex((number) => number !== 0);
  return first < 0 ? numbers.length : first + 1;
}

function isBelow(one: Version, other: Version): boolean {
  const at = one.findIndex((number, index) => number !== other[index]);
  return at >= 0 && one[at]! < other[at]!;
}

function parseVersion(text: string): Version | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined;
}
