/** Upkeep itself ended it: on request, or because it was not worth living. */
import { ENDED_BY_LOOK } from '../../core/index.js';
import type { ExitCause } from '../../protocol/index.js';
import { formatDuration } from '../../util/index.js';
import type { ExitEvidence } from '../evidence.js';
import type { Fact, Finding } from '../finding.js';

/** As the supervisor words it: `operation 12 (stop)`, `upkeep: memory limit: 120 MB of 100 MB`. */
const BY_ITSELF: readonly (readonly [ExitCause, RegExp, string])[] = [
  ['memory-limit', /^upkeep: memory limit: /, 'give it more with limits.memory, or look for the leak'],
  ['unhealthy', /^upkeep: unhealthy /, 'see what the check says: upkeep events'],
  [
    'not-ready',
    /^upkeep: not ready within /,
    'see what it waits for in its log; ready.timeout gives it longer',
  ],
];

export function askedRule({ exit, asked, endedAt, begunAt, serverKill }: ExitEvidence): Finding | undefined {
  if (!asked) return undefined;
  const { by, signals } = asked;
  const known = BY_ITSELF.find(([, pattern]) => pattern.test(by));
  const sent = signals.filter((signal) => signal !== 'SIGCONT');
  const isKilled = exit.signal === 'SIGKILL' && sent.length > 1;
  const late = isKilled ? `; it did not end by ${sent[0]} in its time and was killed` : '';
  const evidence: Fact[] = [
    { source: 'own journal', fact: `asked for by ${by}, signals sent: ${sent.join(', ') || 'none'}` },
  ];
  if (known) {
    const [cause, pattern, hint] = known;
    const what = by.replace(/^upkeep: /, '');
    const detail = cause === 'memory-limit' ? by.replace(pattern, '') : what;
    const seen = exit.evidence ? `; when it was looked at: ${exit.evidence.summary}` : '';
    const byLook = exit.evidence?.missing === ENDED_BY_LOOK ? `; ${ENDED_BY_LOOK}` : '';
    const because = serverKill ? `, because ${serverKill.summary}` : '';
    const words =
      cause === 'memory-limit'
        ? `its processes used ${detail}, its memory limit`
        : `it was ${what}${because}`;
    return {
      cause,
      summary: `upkeep ended it: ${words}${seen}${byLook}${late}`,
      confidence: 'certain',
      evidence: [...evidence, ...(serverKill?.evidence ?? [])],
      hint: serverKill?.hint ?? hint,
    };
  }
  const after = `after ${formatDuration(Math.max(0, endedAt - begunAt))}`;
  const how = exit.kind === 'signalled' ? `ended by ${exit.signal}` : `it ended with exit code ${exit.code}`;
  return {
    cause: 'asked',
    summary: `upkeep was asked to end it: ${by.replace(/^upkeep: /, '')}; ${how} ${after}${late}`,
    confidence: 'certain',
    evidence,
    hint: late === '' ? null : 'it needs longer than stop.grace, or does not handle its stop signal',
  };
}
