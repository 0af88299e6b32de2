/** Follows a release up to a moment at which something is to befall it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ReleaseRequest, ReleaseStage, ReleaseView } from '../../../src/protocol/index.js';
import type { Rig } from '../rig.js';

export interface Moment {
  /** `at verify`. */
  readonly words: string;
  /** And so much later. */
  readonly thenMs: number;
  isThere(view: ReleaseView): boolean;
}

export function atStage(stage: ReleaseStage, thenMs = 0): Moment {
  const later = thenMs === 0 ? '' : `, ${thenMs.toFixed(0)} ms later`;
  return { words: `at ${stage}${later}`, thenMs, isThere: (view) => view.stage === stage };
}

export const WHILE_PUT_BACK: Moment = {
  words: 'while it is put back',
  thenMs: 0,
  isThere: ({ status }) => status === 'reverting',
};

export const AT_ITS_END: Moment = {
  words: 'as soon as it has ended',
  thenMs: 0,
  isThere: ({ finishedAt }) => finishedAt !== null,
};

export function afterAccepted(thenMs: number): Moment {
  return { words: `${thenMs.toFixed(0)} ms after it was accepted`, thenMs, isThere: () => true };
}

export interface Followed {
  readonly id: string;
  /** false: it has ended without. */
  readonly hasCome: boolean;
  /** As it was seen last. */
  readonly view: ReleaseView;
}

export async function followTo(
  rig: Rig,
  body: ReleaseRequest,
  { isThere, thenMs }: Moment,
): Promise<Followed> {
  let last: ReleaseView | undefined;
  for await (const view of rig.client.stream('requestRelease', { body })) {
    last = view;
    if (!isThere(view)) continue;
    if (thenMs > 0) await delay(thenMs);
    return { id: view.id, hasCome: true, view };
  }
  return { id: last!.id, hasCome: false, view: last! };
}

/** From 0 to below 1, the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
}
