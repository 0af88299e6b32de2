/** The new version's side of an upgrade; upgrade.ts is the old one's, and has the diagram. */
import { join } from 'node:path';
import * as v from 'valibot';
import { Journal, readState } from '../store/index.js';
import { eventsPath, type Handover } from '../supervisor/index.js';
import { Launcher, shimPath, type Predecessor } from '../system/index.js';
import { HANDOVER_FORMAT } from './upgrade.js';

const Held = v.object({
  key: v.string(),
  host: v.string(),
  port: v.number(),
  isAddressDeclared: v.boolean(),
  name: v.string(),
  isListening: v.boolean(),
});

const Handed = v.object({
  format: v.literal(HANDOVER_FORMAT),
  launcher: v.number(),
  heldSockets: v.record(v.string(), v.array(Held)),
});

/** Throws where this version could not take over; touches nothing. */
export function rehearse(home: string): void {
  shimPath();
  readState(home);
  new Journal(join(home, 'operations.jsonl')).read(() => []);
}

/** What the old version hands over, once it has let go of it. `isWanted`: it is still there and wants to. */
export async function receive(
  predecessor: Predecessor,
  home: string,
): Promise<{ isWanted: boolean; handover?: Handover }> {
  const go = await predecessor.hear('go');
  if (go === undefined) return { isWanted: false };
  const handed = v.safeParse(Handed, go);
  // Of a version that words it otherwise: sockets are regained from the shims, as after a crash.
  if (!handed.success) return { isWanted: true };
  const { launcher: pid, heldSockets } = handed.output;
  const launcher = new Launcher(eventsPath(home), { pid, fd: predecessor.launcherFd });
  return { isWanted: true, handover: { launcher, heldSockets } };
}
