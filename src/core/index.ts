export * from './instance.js';
export * from './restart.js';
export * from './status.js';
export * from './dependency.js';
export * from './reconcile.js';
export * from './health.js';
export * from './queue.js';
export * from './model.js';
