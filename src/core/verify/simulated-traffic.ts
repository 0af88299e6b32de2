/** Traffic that is made up, from a seed: what the gates are measured with. Never part of what upkeep decides. */
import type { InstanceLook, Look, SideLook } from './look.js';

/** Uniform from 0 to 1; the same seed gives the same numbers (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Log-normal, as times of requests are. */
export function duration(random: () => number, medianMs: number, sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return medianMs * Math.exp(sigma * normal);
}

export function failures(random: () => number, requests: number, share: number): number {
  let failed = 0;
  for (let request = 0; request < requests; request++) if (random() < share) failed++;
  return failed;
}

export interface SimulatedSide {
  readonly perSecond: number;
  readonly errorShare: number;
  readonly medianMs: number;
  /** @default 0.6 */
  readonly sigma?: number;
  readonly rssBytes?: (atMs: number) => number;
}

export interface Simulation {
  readonly seed: number;
  readonly seconds: number;
  readonly old: SimulatedSide;
  readonly new: SimulatedSide;
}

/** A look each second. */
export function simulate({ seed, seconds, old, new: young }: Simulation): Look[] {
  const random = randomOf(seed);
  return Array.from({ length: seconds + 1 }, (_, second): Look => {
    const at = second * 1000;
    const sides = { old: sideOf(old, random, at), new: sideOf(young, random, at), kinds: [] };
    return { atMs: at, services: { web: sides } };
  });
}

function sideOf(side: SimulatedSide, random: () => number, atMs: number): SideLook {
  const { perSecond, errorShare, medianMs, sigma = 0.6, rssBytes } = side;
  // As many as come, not always the same number.
  const requests = atMs === 0 ? 0 : failures(random, 2 * perSecond, 0.5);
  const times = Array.from({ length: Math.min(requests, 30) }, () => duration(random, medianMs, sigma));
  const middle = times.sort((a, b) => a - b)[times.length >> 1];
  return {
    requests,
    errors: failures(random, requests, errorShare),
    unanswered: 0,
    medianMs: middle ?? null,
    instances: [instanceOf({ rssBytes: rssBytes?.(atMs) ?? null })],
  };
}

export function instanceOf(seen: Partial<InstanceLook> = {}): InstanceLook {
  return { name: '0', rssBytes: null, restarts: 0, ended: null, ...seen };
}
