/**
 * Decides from what probes answer whether an instance is healthy, and when one that is not may be taken out.
 *
 *              `failures` in a row, or the first ones after the start period
 *    null, true ───────────────────────────────────────────────────────────▶ false
 *         ▲                                                                    │
 *         └────── null: the first success; false: `successes` in a row ────────┘
 */
export interface HealthState {
  /** null until a probe has succeeded, or enough of them have failed. */
  readonly isHealthy: boolean | null;
  /** In a row. */
  readonly failures: number;
  /** In a row. */
  readonly successes: number;
}

export interface HealthPolicy {
  readonly failures: number;
  readonly successes: number;
  readonly startPeriodMs: number;
}

export interface ProbeAnswer {
  readonly isSuccess: boolean;
  /** How long the instance has been running. */
  readonly ageMs: number;
}

export const UNPROBED: HealthState = { isHealthy: null, failures: 0, successes: 0 };

export function probed(
  state: HealthState,
  { isSuccess, ageMs }: ProbeAnswer,
  policy: HealthPolicy,
): HealthState {
  if (isSuccess) {
    const successes = state.successes + 1;
    const isRecovering = state.isHealthy === false && successes < policy.successes;
    return { isHealthy: !isRecovering, failures: 0, successes };
  }
  if (state.isHealthy === null && ageMs < policy.startPeriodMs) return UNPROBED;
  const failures = state.failures + 1;
  const isHealthy = failures >= policy.failures ? false : state.isHealthy;
  return { isHealthy, failures, successes: 0 };
}

/** Another instance of the same service. */
export interface Peer {
  /** Probes have taken it out, and it is not back yet. */
  readonly isTakenOut: boolean;
  /** It runs, and no probe speaks against it. */
  readonly serves: boolean;
}

/**
 * A restart because of a probe may be the fault of what all instances depend on: one after the other, as long as any of
 * them serves.
 */
export function mayTakeOut(others: readonly Peer[]): boolean {
  return !others.some(({ isTakenOut }) => isTakenOut) || !others.some(({ serves }) => serves);
}
