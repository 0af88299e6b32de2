/** What tests of sockets, reloads and drains begin with, and look at. */
import type { ServiceConfig } from '../../src/config/index.js';
import type { OperationRequest } from '../../src/protocol/index.js';
import type { StoredState } from '../../src/store/index.js';
import { assertSucceeded } from './expect.js';
import type { Puppet } from './puppet.js';
import type { Rig } from './rig.js';
import { knock, type Visit } from './visit.js';

/** Of `api`, the service of all these tests. */
export const RELOAD: OperationRequest = { kind: 'reload', services: ['api'] };

/** `reload` without the time that a new instance has to live: for tests that are not about it. */
export const AT_ONCE = { stable: 0 };

export interface ServeOptions {
  /** That the application listens on; null: it says none. @default null */
  readonly host?: string | null;
}

/** Brings up the puppet `api`, which listens on the port; where the configuration does not say so, upkeep has seen it. */
export async function serve(
  rig: Rig,
  port: number,
  config: ServiceConfig,
  { host = null }: ServeOptions = {},
): Promise<Puppet> {
  const services = [...(await rig.specs({ api: rig.puppet(config) }))];
  const { id } = await rig.accept({ kind: 'up', services });
  const puppet = await rig.enter('api');
  await puppet.listen(port, host);
  assertSucceeded(await rig.ended(id));
  if (config.port === undefined && config.ports === undefined)
    await rig.until('the port is learned', () => learned(rig).some((each) => each.port === port));
  return puppet;
}

/** A request that the puppet has got, and answers when it is to `finish`. */
export async function knockSlowly(rig: Rig, port: number, puppet: Puppet): Promise<Visit> {
  const before = await puppet.hits();
  const visit = await knock(port, { path: '/slow' });
  await rig.until('the slow request is there', async () => (await puppet.hits()) > before);
  return visit;
}

/** What upkeep holds for `api` although it was nowhere declared. */
export function learned(rig: Rig): StoredState['services'][number]['listens'] {
  return rig.state().services[0]!.listens;
}

/** Of `api`, as "role attempt", sorted. */
export async function roles(rig: Rig): Promise<string[]> {
  const { instances } = await rig.service('api');
  return instances.map(({ role, attempt }) => `${role} ${attempt}`).sort();
}
