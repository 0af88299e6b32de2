/** With which weight a server is let in: `10%` of what the configuration gives it, or the one that somebody has given it by hand. Pure. */
import type { ServerView } from './server-view.js';

/** As `set weight` takes it. */
export type Weight = `${number}` | `${number}%`;

/** By hand: neither that of the configuration, nor what is left of a canary whose daemon was killed; 0 is out. */
export function isByHand({ userWeight, initialWeight }: ServerView, canaryShare: number): boolean {
  return userWeight > 0 && userWeight !== initialWeight && userWeight !== part(initialWeight, canaryShare);
}

/** `usual`: as it was when it had a weight by hand. A canary gets no more than it had. */
export function weightFor(share: number, usual: ServerView | undefined): Weight {
  if (!usual) return `${share}%`;
  const { userWeight, initialWeight } = usual;
  return `${share === 100 ? userWeight : Math.min(userWeight, part(initialWeight, share))}`;
}

/** What HAProxy makes of it. */
export function toNumber(weight: Weight, initialWeight: number): number {
  const number = parseInt(weight, 10);
  return weight.endsWith('%') ? part(initialWeight, number) : number;
}

export function wordWeight(weight: Weight): string {
  return weight.endsWith('%') ? `${parseInt(weight, 10)} % of its weight` : `a weight of ${weight}`;
}

function part(weight: number, share: number): number {
  return Math.floor((weight * share) / 100);
}
