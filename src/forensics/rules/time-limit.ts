/** timeout(1) in front of the program: it ends what it was given, and itself with 124. */
import { basename } from 'node:path';
import { formatDuration } from '../../util/index.js';
import type { ExitEvidence } from '../evidence.js';
import type { Fact, Finding } from '../finding.js';
import type { Sender } from '../signals.js';

const DURATION = /^(\d+(?:\.\d+)?)([smhd]?)$/;
const UNITS: Readonly<Record<string, number>> = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Options whose value is the next word: `-k 5`, `-s TERM`. */
const TAKES_VALUE = /^(?:-[a-z]*[ks]|--kill-after|--signal)$/;
const TIMED_OUT = 124;
/** Its clock begins a little after ours. */
const EARLY_MS = 200;
const LATE_MS = 10_000;

export function isTimeLimit(evidence: ExitEvidence, sender: Sender): boolean {
  return limitOf(evidence.argv) !== undefined && sender.by?.place === 'itself';
}

export function timeLimitRule(evidence: ExitEvidence): Finding | undefined {
  const { exit, argv, pid, signals } = evidence;
  const limitMs = limitOf(argv);
  if (exit.code !== TIMED_OUT || limitMs === undefined) return undefined;
  if (exit.livedMs < limitMs - EARLY_MS || exit.livedMs > limitMs + LATE_MS) return undefined;
  const sent =
    'found' in signals ? signals.found.findLast((seen) => seen.sender === pid && seen.code <= 0) : undefined;
  const facts: Fact[] = sent
    ? [{ source: 'kernel trace', fact: `timeout, pid ${pid}, sent its signal to pid ${sent.target}` }]
    : [];
  return { ...timeLimit(evidence, facts), confidence: 'certain' };
}

export function timeLimit({ argv, exit }: ExitEvidence, facts: readonly Fact[]): Finding {
  const limit = formatDuration(limitOf(argv) ?? exit.livedMs);
  return {
    cause: 'time-limit',
    summary: `timeout(1), which it runs below, ended it after ${limit}`,
    confidence: 'certain',
    evidence: [
      {
        source: 'exit status',
        fact: `${exit.reason}; it had lived ${formatDuration(exit.livedMs)}, the limit is ${limit}`,
      },
      ...facts,
    ],
    hint: 'a service has no end: take timeout out of its command',
  };
}

/** `timeout [options] DURATION COMMAND`, milliseconds. */
function limitOf(argv: readonly string[]): number | undefined {
  const at = argv.findIndex((word) => basename(word) === 'timeout');
  if (at !== 0) return undefined;
  const first = argv.findIndex(
    (word, index) => index > 0 && !word.startsWith('-') && !TAKES_VALUE.test(argv[index - 1]!),
  );
  const duration = DURATION.exec(argv[first] ?? '');
  return duration ? Number(duration[1]) * UNITS[duration[2]!]! : undefined;
}
