/** Decides why an attempt ended, from what is known: the first rule that has an answer. Never guesses: "unknown" is one. */
import type { ExitView, Verdict } from '../protocol/index.js';
import type { ExitEvidence } from './evidence.js';
import type { Fact, Finding } from './finding.js';
import { askedRule } from './rules/asked.js';
import { execRule } from './rules/child-process.js';
import { exceptionRule, shellRule } from './rules/exception.js';
import { childSignalRule, exitedRule, requestRule } from './rules/exited.js';
import { heapRule, oomRule } from './rules/memory.js';
import { signalledRule } from './rules/signalled.js';
import { shimRule, spawnRule } from './rules/spawn.js';
import { timeLimitRule } from './rules/time-limit.js';

type Rule = (evidence: ExitEvidence) => Finding | undefined;

/** In order: what was done to it on purpose, what the kernel says, what it says itself, what its status says. */
const RULES: readonly Rule[] = [
  askedRule,
  spawnRule,
  shimRule,
  oomRule,
  heapRule,
  execRule,
  signalledRule,
  timeLimitRule,
  exceptionRule,
  requestRule,
  childSignalRule,
  shellRule,
  exitedRule,
];

export function decideVerdict(evidence: ExitEvidence): Verdict {
  const finding = firstFinding(evidence) ?? openQuestion(evidence);
  const { cause, summary, confidence, by = null, hint = null, evidence: facts } = finding;
  return {
    cause,
    summary,
    confidence,
    by,
    evidence: [...facts, ...lookFacts(evidence)],
    notAvailable: confidence === 'certain' && by?.command !== null ? [] : missingSources(evidence),
    hint,
  };
}

/** What it was doing when it was found failing. */
function lookFacts({ exit }: ExitEvidence): Fact[] {
  if (!exit.evidence) return [];
  const { summary, missing, waitsIn } = exit.evidence;
  const more = [
    missing === null ? '' : `no stack: ${missing}`,
    waitsIn === null ? '' : `waits in ${waitsIn}`,
  ];
  return [{ source: 'a look at it', fact: [summary, ...more].filter((part) => part !== '').join(', ') }];
}

function firstFinding(evidence: ExitEvidence): Finding | undefined {
  for (const rule of RULES) {
    const finding = rule(evidence);
    if (finding) return finding;
  }
  return undefined;
}

/** Of an end that could not be looked into. */
export function unknownVerdict(exit: ExitView): Verdict {
  return { ...openQuestion({ exit }), by: null, evidence: [], notAvailable: [], hint: null };
}

function openQuestion({ exit }: Pick<ExitEvidence, 'exit'>): Finding {
  return {
    cause: 'unknown',
    summary: exit.reason,
    confidence: 'unknown',
    evidence: [{ source: 'exit status', fact: exit.reason }],
  };
}

function missingSources(evidence: ExitEvidence): Fact[] {
  const { signals, kernel, group, testimony, pid } = evidence;
  const facts: Fact[] = [];
  if ('missing' in signals) facts.push({ source: 'kernel trace', fact: signals.missing });
  const audit = whyNoAudit(evidence);
  if (audit !== undefined) facts.push({ source: 'audit log', fact: audit });
  if ('missing' in kernel) facts.push({ source: 'kernel log', fact: kernel.missing });
  if ('missing' in group) facts.push({ source: 'control group', fact: group.missing });
  if (pid !== null && !testimony.pids.has(pid))
    facts.push({ source: 'preload', fact: 'the program is not Node, or its preload is off' });
  return facts;
}

/** undefined: it has what it could tell, or is not needed. */
function whyNoAudit({ signals, audit, exit }: ExitEvidence): string | undefined {
  if ('found' in signals || exit.kind !== 'signalled') return undefined;
  if ('missing' in audit) return audit.missing;
  return audit.found.signals.length > 0 ? undefined : 'it has no signals: no rule has them noted';
}
