export { Supervisor, type Handover, type SupervisorStorage } from './supervisor.js';
export { hasEnded } from './operation.js';
export { eventsPath, type SupervisorContext } from './context.js';
