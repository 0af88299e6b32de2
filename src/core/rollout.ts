/**
 * Decides which instances a reload replaces next. At most `maxSurge` new ones run beside the old ones, and at most
 * `maxUnavailable` are missing; after the first failure nothing more is begun.
 */
export type SlotState =
  /** Not begun. */
  | 'old'
  /** A new one is started and judged, or the old one leaves after it. */
  | 'surging'
  /** The old one is stopped first. */
  | 'swapping'
  | 'done'
  | 'failed';

export interface RolloutPolicy {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

export interface Begin {
  readonly index: number;
  readonly how: 'surge' | 'swap';
}

export function nextReplacements(slots: readonly SlotState[], policy: RolloutPolicy): Begin[] {
  if (slots.includes('failed')) return [];
  const count = (state: SlotState): number => slots.filter((slot) => slot === state).length;
  const surges = Math.max(0, policy.maxSurge - count('surging'));
  const swaps = Math.max(0, policy.maxUnavailable - count('swapping'));
  const waiting = slots.flatMap((slot, index) => (slot === 'old' ? [index] : []));
  return waiting
    .slice(0, surges + swaps)
    .map((index, place) => ({ index, how: place < surges ? 'surge' : 'swap' }));
}
