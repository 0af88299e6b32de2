/** Watches old and new instances side by side, and makes a failure of what was seen: its words are those that people read first. */
import { UpkeepError, type ReleaseCheck, type ReleaseView } from '../protocol/index.js';
import type { Switchover } from '../supervisor/index.js';
import type { Clock } from '../system/index.js';
import type { StageContext, StageResult } from './job.js';
import type { WatchPhase } from './live.js';
import { smokeOf } from './own-folder.js';
import type { ReleaseRun } from './release-run.js';
import { askErrors, watchRelease, type ReleaseErrors } from './verify/index.js';
import { whatServesOn, wordFacts } from './words.js';

export interface WatchHost {
  readonly errors: ReleaseErrors;
  readonly clock: Clock;
  /** Kinds of errors that releases of the same group were not good for. */
  readonly refusedKinds: ReadonlySet<string>;
}

/** What new instances have written before they take traffic. */
export function lookForErrors(
  { errors, refusedKinds }: WatchHost,
  { spec, view }: ReleaseRun,
  switchover: Switchover,
): Promise<readonly ReleaseCheck[]> {
  return askErrors({ spec: spec.verify, switchover, errors, since: bootOf(view), refusedKinds });
}

export async function watch(
  { errors, clock, refusedKinds }: WatchHost,
  {
    run,
    switchover,
    phase,
  }: { readonly run: ReleaseRun; readonly switchover: Switchover; readonly phase: WatchPhase },
  context: StageContext,
): Promise<StageResult> {
  const { spec, view } = run;
  const outcome = await watchRelease({
    spec: { ...spec.verify, smoke: smokeOf(run) },
    stage: phase,
    switchover,
    errors,
    since: bootOf(view),
    refusedKinds,
    clock,
    signal: context.signal,
    onChecks: (checks) => {
      context.note({ checks });
      const [requests] = checks.filter(({ name }) => name === 'requests');
      if (requests) context.say(requests.text);
    },
  });
  if (outcome === 'green') return { text: textOf(run, phase) };
  const [code, facts] =
    'red' in outcome
      ? (['release-failed', outcome.red] as const)
      : (['not-verified', outcome.noData] as const);
  throw failed(run, code, facts);
}

/** When the first new instance was started, whichever daemon did it. */
function bootOf({ stages, acceptedAt }: ReleaseView): number {
  const boot = stages.find(({ stage }) => stage === 'boot');
  return Date.parse(boot?.startedAt ?? acceptedAt);
}

function failed(
  run: ReleaseRun,
  code: 'release-failed' | 'not-verified',
  facts: readonly ReleaseCheck[],
): UpkeepError {
  const { view, spec } = run;
  const name = spec.services[0]!.name;
  const message =
    code === 'not-verified'
      ? `Cannot tell whether release ${view.id} of "${view.group}" is good: ${wordFacts(facts)}`
      : `Release ${view.id} of "${view.group}" is not good: ${wordFacts(facts)}`;
  const hint =
    code === 'not-verified'
      ? 'let more requests come, or add verify.smoke, which stands in where there are too few'
      : `${whatServesOn(run)}all that was looked at: upkeep release show ${view.id}; its output: upkeep logs ${name}`;
  return new UpkeepError(code, message, { hint });
}

function textOf({ view }: ReleaseRun, phase: WatchPhase): string {
  const seen = view.checks.filter(({ stage }) => stage === phase);
  const warned = seen.filter(({ verdict }) => verdict === 'warned').length;
  const requests = seen.find(({ name }) => name === 'requests');
  const passed = seen.filter(({ name, verdict }) => name === 'smoke' && verdict === 'passed');
  const bySmoke = passed.length > 0 ? 'its smoke checks passed; too few requests to go by' : undefined;
  const judged = requests?.verdict === 'passed' ? requests.text : bySmoke;
  return (
    [judged, warned > 0 ? `${warned} warnings` : undefined].filter(Boolean).join('; ') || 'nothing was wrong'
  );
}
