/** One operation as the daemon holds it: the request, its steps while they are done, and the lines that outlive it. */
import * as v from 'valibot';
import { OperationRequest, OperationView, ServiceSpec, type OperationStep } from '../protocol/index.js';
import { deferred, type Deferred } from '../util/index.js';
import type { PlannedStep } from './plan.js';

/** What holds the services of a group while a release switches them; nobody can ask for it from outside. */
const HoldRequest = v.strictObject({
  kind: v.literal('release'),
  /** Of the switchover: who decides finds it again by this name. */
  release: v.string(),
  /** What they are to become. */
  services: v.pipe(v.array(ServiceSpec), v.minLength(1)),
  /** See `SwitchoverWish`. */
  onlyWanted: v.exactOptional(v.boolean()),
});
export type HoldRequest = v.InferOutput<typeof HoldRequest>;

/** Whatever an operation is made of. */
export const AcceptedRequest = v.variant('kind', [...OperationRequest.options, HoldRequest]);
export type AcceptedRequest = v.InferOutput<typeof AcceptedRequest>;

/** A step while it is done. */
export interface Step extends PlannedStep {
  /** Decided anew when it is its turn; see `Performer`. */
  action: PlannedStep['action'];
  readonly view: OperationStep;
  /** Aborted when a later stop or delete wants the service. */
  readonly abort: AbortController;
  /** Nothing of the service lives any more: what it depends on may stop, too. */
  readonly stopped: Deferred;
  /** The service was told to start, or never will be by this step: what depends on it may look at it now. */
  readonly launched: Deferred;
  /** Settles with the outcome; never rejects. */
  readonly ended: Deferred<boolean>;
}

export interface Operation {
  readonly id: string;
  readonly request: AcceptedRequest;
  readonly services: ReadonlySet<string>;
  readonly key: string;
  readonly steps: readonly Step[];
  readonly view: OperationView;
  /** Attempt numbers when it was accepted: after a crash of the daemon, a restart is done where they have grown. */
  readonly baseline: Record<string, number[]>;
  readonly isResumed: boolean;
  /** Resolves when it is on disk: from here on it will be done. Rejects where it cannot be written down. */
  readonly accepted: Deferred;
  isAccepted: boolean;
  isRunning: boolean;
}

export const AcceptedLine = v.object({
  type: v.literal('accepted'),
  request: AcceptedRequest,
  view: OperationView,
  baseline: v.record(v.string(), v.array(v.number())),
});
export type AcceptedLine = v.InferOutput<typeof AcceptedLine>;

/** What the journal holds. */
export const JournalLine = v.variant('type', [
  AcceptedLine,
  v.object({ type: v.literal('ended'), view: OperationView }),
]);
export type JournalLine = v.InferOutput<typeof JournalLine>;

export function hasEnded(view: OperationView): boolean {
  return view.status === 'succeeded' || view.status === 'failed';
}

export function createOperation(
  request: AcceptedRequest,
  planned: readonly PlannedStep[],
  view: OperationView,
  baseline: Operation['baseline'],
  isResumed: boolean,
): Operation {
  const steps = planned.map(createStep);
  view.steps = steps.map((step) => step.view);
  const accepted = deferred();
  accepted.promise.catch(() => undefined); // who asked is told, and may be gone
  if (isResumed) accepted.resolve();
  return {
    id: view.id,
    request,
    services: new Set(planned.map((step) => step.service)),
    key: JSON.stringify(request),
    steps,
    view,
    baseline,
    isResumed,
    accepted,
    isAccepted: isResumed,
    isRunning: false,
  };
}

function createStep(planned: PlannedStep): Step {
  const { service, action } = planned;
  return {
    ...planned,
    view: { service, action, status: 'pending', startedAt: null, finishedAt: null },
    abort: new AbortController(),
    stopped: deferred(),
    launched: deferred(),
    ended: deferred<boolean>(),
  };
}

export function toLine({ request, view, baseline }: Operation): AcceptedLine {
  return { type: 'accepted', request, view, baseline };
}
