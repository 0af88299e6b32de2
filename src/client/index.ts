export { findBootUnit, journalCommand, type BootUnit } from './boot-unit.js';
export { Client, hasEndedMidway, isAnswering, type Dial, type RequestOptions } from './client.js';
export { connectIfUsed, connectOnly, connectOrStart, isUnusedHome } from './connect.js';
export { endDaemon, isDaemonThere, type EndedDaemon } from './end.js';
export { homeFrom, type Home } from './home.js';
export { daemonCommand } from './launch.js';
export { discourageGuardian, isLocked } from './lock.js';
export { ownPackage } from './package.js';
export {
  isSystemdRunning,
  runTool,
  scopeArguments,
  showUnit,
  systemctl,
  type SystemdScope,
  type ToolResult,
} from './systemctl.js';
