export * from './spec.js';
export * from './service.js';
export * from './operation.js';
export * from './event.js';
export * from './log.js';
export * from './daemon.js';
export * from './error.js';
export * from './route.js';
