/** Every check, in the order of the report. */
import type { Finding } from './finding.js';
import type { Machine } from './machine.js';
import { findBoot } from './checks/boot.js';
import { findClock } from './checks/clock.js';
import { findConfigurations } from './checks/configurations.js';
import { findDaemon } from './checks/daemon.js';
import { findDisk } from './checks/disk.js';
import { findEnvironments } from './checks/environments.js';
import { findHeldPorts } from './checks/held-ports.js';
import { findLimits } from './checks/limits.js';
import { findLogs } from './checks/logs.js';
import { findMemory } from './checks/memory.js';
import { findNodeVersions } from './checks/node-versions.js';
import { findOperations } from './checks/operations.js';
import { findPermissions } from './checks/permissions.js';
import { findPm2Daemons } from './checks/pm2-daemons.js';
import { findRestarts } from './checks/restarts.js';
import { findRunFolders } from './checks/run-folders.js';
import { findRuntimes } from './checks/runtimes.js';
import { findRunTwice } from './checks/run-twice.js';
import { findSharedPorts } from './checks/shared-ports.js';
import { findWrappers } from './checks/wrappers.js';

export type Check = (machine: Machine) => Finding[];

export const CHECKS: readonly Check[] = [
  findDaemon,
  findPm2Daemons,
  findRunTwice,
  findSharedPorts,
  findHeldPorts,
  findRuntimes,
  findNodeVersions,
  findBoot,
  findConfigurations,
  findEnvironments,
  findRestarts,
  findOperations,
  findDisk,
  findLogs,
  findLimits,
  findMemory,
  findClock,
  findPermissions,
  findRunFolders,
  findWrappers,
];
