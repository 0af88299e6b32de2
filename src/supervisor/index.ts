export { looksSecret, resolveEnvironment, storedSecretValues, type Environment } from './environment.js';
export { Supervisor, type Handover, type SupervisorStorage } from './supervisor.js';
export { toFailure } from './failure.js';
export type { Counted } from './meter.js';
export { hasEnded } from './operation.js';
export type { BootOptions, SideCounts, SideView, Switchover, SwitchoverWish } from './switchover.js';
export { eventsPath, type SupervisorContext } from './context.js';
