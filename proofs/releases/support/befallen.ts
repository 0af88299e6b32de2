/** Releases that something befalls, and how they end: what proofs of it have in common. */
import type { ReleaseRequest, ReleaseView } from '../../../src/protocol/index.js';
import type { Build, Shop } from '../../../test/rig/index.js';

/** After it was started: the bake of such a build is longer, and nothing before it takes so long. */
export const EXITS_AFTER_MS = 5500;
const LONG_BAKE_MS = 7000;

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
