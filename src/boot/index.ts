export { daemonFacts } from './daemon-facts.js';
export type { BootFinding } from './findings.js';
export { install, planInstall, type Installation, type InstallPlan, type Notice } from './install.js';
export { OTHER_INITS, otherInitFile, type InitFile } from './other-init.js';
export { remove, type Removal } from './remove.js';
export { inspectBoot, type BootStatus, type Way } from './status.js';
export { targetFrom, type Target, type TargetOptions } from './target.js';
export { tryUnit, type TrialOptions } from './trial.js';
export { unitsOnDisk, type UnitOnDisk } from './units-on-disk.js';
