/** What must hold of groups of services that are released together, beyond the shape of their keys. */
import { join } from 'node:path';
import { POLICY_RULES, PREFLIGHT_RULES } from '../../protocol/index.js';
import { mostSimilar } from '../../util/index.js';
import type { Path, Report } from '../diagnostic.js';
import type { ReleaseDraft } from '../draft/release.js';
import { isVersionRange } from './version-range.js';

/** `folder`: the one of the configuration file. */
export function checkReleases(releases: readonly ReleaseDraft[], folder: string, report: Report): void {
  releases.forEach((release, index) => {
    checkPlace(release, folder, report);
    checkFolder(release, releases.slice(0, index), report);
    checkLinked(release, report);
    checkNode(release, report);
    checkWaivers(release, report);
  });
}

/** Through `current` it is always there; where a release lies, it goes with it, and so does what it names. */
function checkPlace({ folder, place }: ReleaseDraft, own: string, report: Report): void {
  const [entry] = isWithin(own, folder) ? own.slice(folder.length + 1).split('/') : [''];
  if (entry === '' || entry === 'current' || entry === 'shared') return;
  report({
    severity: 'warning',
    path: place([]),
    at: 'key',
    message: `this file lies in a release (${join(folder, entry ?? '')}), and is gone when that one is`,
    hint: `name its folder as ${join(folder, 'current', own.slice(folder.length + 1 + (entry ?? '').length))}, or keep it beside the releases`,
  });
}

/** Cleaning up one group would take releases of the other. */
function checkFolder(
  { folder, place, name }: ReleaseDraft,
  earlier: readonly ReleaseDraft[],
  report: Report,
): void {
  const other = earlier.find((each) => isWithin(folder, each.folder) || isWithin(each.folder, folder));
  if (!other) return;
  report({
    path: place(['folder']),
    message: `the folder of "${name}" and the one of "${other.name}" lie in one another (${folder}, ${other.folder})`,
    hint: 'give each group a folder of its own',
  });
}

function checkLinked({ release: { linked }, place }: ReleaseDraft, report: Report): void {
  const all = (['files', 'folders'] as const).flatMap((key) =>
    (linked?.[key] ?? []).map((path, index) => ({ path: trim(path), part: ['linked', key, index] as Path })),
  );
  all.forEach(({ path, part }, index) => {
    const other = all.find(
      (each, at) => at !== index && isWithin(path, each.path) && (path !== each.path || at < index),
    );
    if (!other) return;
    report({
      path: place(part),
      message:
        path === other.path
          ? `"${path}" is listed twice`
          : `"${path}" lies in "${other.path}", which is linked as a whole`,
      hint: 'remove it',
    });
  });
}

function checkNode({ release: { node }, place }: ReleaseDraft, report: Report): void {
  if (node === undefined || isVersionRange(node)) return;
  report({
    path: place(['node']),
    message: `"${node}" is not a range of versions`,
    hint: 'write it as in package.json, for example node: ">=20 <25"',
  });
}

/** Reports call a check `contract: missing-key`; either form is understood. */
function checkWaived(rule: string, path: Path, report: Report): void {
  const known = [...POLICY_RULES, ...PREFLIGHT_RULES];
  const word = rule.replace(/^[a-z]+: /, '');
  if (known.some((each) => each === word)) return;
  const near = mostSimilar(word, known);
  const hint = near ? `did you mean "${near}"?` : `known: ${known.join(', ')}`;
  report({ path, message: `"${rule}" is not a known rule`, hint });
}

/**
 * Not an error, for there may always be requests enough; but who has none learns it only when the release fails. Who has written
 * noData knows.
 */
export function checkJudged({ release: { verify }, place, name }: ReleaseDraft, report: Report): void {
  const { smoke = [], noData } = verify ?? {};
  if (noData !== undefined || !Array.isArray(smoke) || smoke.length > 0) return;
  report({
    severity: 'warning',
    path: place([]),
    at: 'key',
    message: `without smoke checks a release of "${name}" fails where few requests come, because nothing judges it`,
    hint: 'write verify: {smoke: /health}, or {smoke: {command: ...}} for what has no port',
  });
}

/** Not an error: the services go on all the same, and the rule holds again. */
function checkWaivers({ release: { policy }, place }: ReleaseDraft, report: Report): void {
  for (const [index, { rule, until }] of (policy?.waivers ?? []).entries()) {
    checkWaived(rule, place(['policy', 'waivers', index, 'rule']), report);
    if (until >= today()) continue;
    report({
      severity: 'warning',
      path: place(['policy', 'waivers', index, 'until']),
      message: `this waiver ended on ${until}, and "${rule}" holds again`,
      hint: 'remove it, or choose a later day',
    });
  }
}

/** As the host writes it. */
function today(): string {
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}

function trim(path: string): string {
  return path.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '');
}
