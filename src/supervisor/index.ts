export { Supervisor, type SupervisorStorage } from './supervisor.js';
export { hasEnded } from './operation.js';
export type { SupervisorContext } from './context.js';
