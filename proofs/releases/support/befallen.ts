/** Releases that something befalls, and how they end: what proofs of it have in common. */
import { parseArgs } from 'node:util';
import type { ReleaseRequest, ReleaseView } from '../../../src/protocol/index.js';
import { randomFrom, type Build, type Shop } from '../../../test/rig/index.js';

/** After it was started: the bake of such a build is longer, and nothing before it takes so long. */
export const EXITS_AFTER_MS = 5500;
const LONG_BAKE_MS = 7000;
/** After it was accepted, what comes by chance. */
export const LONGEST_MS = 6000;
/** For its end, whatever befell it. */
export const END_MS = 60_000;

export interface BefallenOptions {
  readonly scale: number;
  /** The same for the same `--seed`. */
  readonly random: () => number;
  /** Whether `--only` names it; without that, all are. */
  readonly isWanted: (name: string) => boolean;
}

export function befallenOptions(): BefallenOptions {
  const { values } = parseArgs({
    options: {
      scale: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
    },
  });
  const only = values.only?.split(',');
  return {
    scale: Number(values.scale),
    random: randomFrom(Number(values.seed)),
    isWanted: (name) => only?.includes(name) ?? true,
  };
}

export async function requestOf(shop: Shop, made: Build): Promise<ReleaseRequest> {
  const spec = await shop.spec();
  const bakeMs = made.kind === 'exits-later' ? LONG_BAKE_MS : spec.verify.bakeMs;
  return shop.request(made, { spec: { ...spec, verify: { ...spec.verify, bakeMs } } });
}

/** undefined: it has not ended yet. */
export async function endOf({ rig }: Shop, id: string): Promise<ReleaseView | undefined> {
  const view = await rig.client.call('release', { params: { id } });
  return view.finishedAt === null ? undefined : view;
}
