/** Decides from probe results whether an instance is healthy. One success heals, `failures` in a row condemn. */
export interface HealthState {
  /** null until the first probe has answered. */
  readonly isHealthy: boolean | null;
  readonly failures: number;
}

export const UNPROBED: HealthState = { isHealthy: null, failures: 0 };

export function probed(state: HealthState, isSuccess: boolean, threshold: number): HealthState {
  if (isSuccess) return { isHealthy: true, failures: 0 };
  const failures = state.failures + 1;
  return { isHealthy: failures >= threshold ? false : state.isHealthy, failures };
}
