export * from './kind-finder.js';
export * from './read-error.js';
