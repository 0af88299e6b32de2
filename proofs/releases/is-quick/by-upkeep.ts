import type { Build } from '../../../test/rig/index.js';
import { Shop } from '../../../test/rig/index.js';
import type { Way } from './way.js';

/** Each release is started, checked and verified before it is switched to; nothing is waited for beyond that. */
export async function byUpkeep(port: number, instances: number): Promise<Way> {
  const shop = await Shop.create({
    port,
    instances,
    service: { reload: { stable: 0 } },
    verify: {
      canary: false,
      stable: 0,
      for: '1s',
      bake: 0,
      smoke: '/checkout',
      minRequests: 20,
      newErrors: 'refuse',
    },
  });
  return {
    name: 'upkeep',
    port,
    release: async (build: Build) => void (await shop.release(build)),
    rollback: async () => void (await shop.rollback()),
    [Symbol.asyncDispose]: () => shop[Symbol.asyncDispose](),
  };
}
