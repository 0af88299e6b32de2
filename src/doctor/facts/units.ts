/** Units of systemd that start a daemon, for the one who asks; see src/boot/units-on-disk.ts. */
import { unitsOnDisk } from '../../boot/index.js';
import { homeFrom } from '../../client/index.js';
import { findCredentials } from '../../system/index.js';
import type { BootUnit, Home } from '../machine.js';
import type { Sight } from './sight.js';

export function readUnits({ path, ownerUid }: Home, sight: Sight): BootUnit[] {
  // A container may run as a user without a name.
  const owner = findCredentials(String(ownerUid), null);
  return unitsOnDisk(homeFrom({ UPKEEP_HOME: path }), owner, sight);
}
