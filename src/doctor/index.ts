export { SEVERITIES, type Finding, type Repair, type Severity } from './finding.js';
export type { Machine } from './machine.js';
export { lookAround } from './facts/look-around.js';
export { repairAll } from './repair.js';
export { examine, isHealthy, type Report, type Step, type Way } from './report.js';
