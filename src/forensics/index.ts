export * from './evidence.js';
export type { ExitQuestion } from './exit-archive.js';
export * from './explainer.js';
export * from './killed-server.js';
export * from './testimony.js';
export * from './verdict.js';
