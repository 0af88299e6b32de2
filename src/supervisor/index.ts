export { Supervisor, type SupervisorStorage } from './supervisor.js';
export { hasEnded } from './operations.js';
export type { SupervisorContext } from './context.js';
