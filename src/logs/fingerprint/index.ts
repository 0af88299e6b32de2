export * from './kind-finder.js';
export * from './may-hold-error.js';
export * from './read-error.js';
