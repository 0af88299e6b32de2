/** What a look at a release before it runs comes to, and which of it was waived. */
import { POLICY_RULES, PREFLIGHT_RULES, type ReleaseCheck, type WaiverSpec } from '../../protocol/index.js';
import { mostSimilar } from '../../util/index.js';

/** One thing that was looked at. No text or hint holds a value. */
export interface Finding {
  readonly area: 'contract' | 'policy' | 'host' | 'requires';
  /** The word that a waiver names. */
  readonly rule: string;
  /** Which of several, where the rule can be broken more than once: a key, a service. */
  readonly subject?: string;
  readonly verdict: 'passed' | 'warned' | 'failed' | 'unknown';
  readonly text: string;
  readonly hint?: string;
}

/** `today`: as `2026-11-29`. A waiver that has expired is told beside what it does not cover any more. */
export function toChecks(
  findings: readonly Finding[],
  waivers: readonly WaiverSpec[],
  today: string,
): ReleaseCheck[] {
  const checks = findings.map((finding) => toCheck(finding, waivers.filter(isFor(finding)), today));
  return [...withOwnNames(checks), ...waivers.flatMap((waiver) => findUnknown(waiver, findings) ?? [])];
}

function toCheck(finding: Finding, waivers: readonly WaiverSpec[], today: string): ReleaseCheck {
  const { area, rule, verdict, text, hint } = finding;
  const name = finding.subject === undefined ? `${area}: ${rule}` : `${area}: ${rule} ${finding.subject}`;
  const check = { stage: 'preflight', name, verdict, text } as const;
  const said = hint === undefined ? {} : { hint };
  if (verdict !== 'failed') return { ...check, ...said };
  const holds = waivers.find(({ until }) => until === null || until >= today);
  if (holds)
    return {
      ...check,
      verdict: 'waived',
      text: `${text}; waived: ${holds.reason}${wordEnd(holds)}`,
      waiver: holds,
    };
  const expired = waivers.at(-1);
  if (!expired) return { ...check, ...said };
  return {
    ...check,
    text: `${text}; its waiver (${expired.reason}) ended with ${expired.until}`,
    hint:
      hint === undefined ? 'write a later day to the waiver' : `${hint}; or write a later day to the waiver`,
  };
}

/** A check is known by its name: what is done again replaces what it was. */
function withOwnNames(checks: readonly ReleaseCheck[]): ReleaseCheck[] {
  const seen = new Map<string, number>();
  return checks.map((check) => {
    const times = (seen.get(check.name) ?? 0) + 1;
    seen.set(check.name, times);
    return times === 1 ? check : { ...check, name: `${check.name} (${times})` };
  });
}

function wordEnd({ until }: WaiverSpec): string {
  return until === null ? ' (this release only)' : ` (until ${until})`;
}

function isFor({ area, rule }: Finding): (waiver: WaiverSpec) => boolean {
  return (waiver) => waiver.rule === rule || waiver.rule === `${area}: ${rule}`;
}

function findUnknown({ rule }: WaiverSpec, findings: readonly Finding[]): ReleaseCheck | undefined {
  const known = new Set<string>([
    ...POLICY_RULES,
    ...PREFLIGHT_RULES,
    ...findings.map((finding) => finding.rule),
  ]);
  const word = rule.replace(/^\w+: /, '');
  if (known.has(word)) return undefined;
  const near = mostSimilar(word, known);
  return {
    stage: 'preflight',
    name: 'policy: waiver',
    verdict: 'warned',
    text: `a waiver names "${rule}", and there is no such rule`,
    hint: near === undefined ? 'remove the waiver' : `did you mean ${near}?`,
  };
}
