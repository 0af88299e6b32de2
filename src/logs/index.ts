export * from './service-log.js';
export * from './log-files.js';
export * from './log-follow.js';
export * from './log-index.js';
export * from './log-segment.js';
export * from './record/index.js';
export * from './fingerprint/index.js';
export * from './errors/index.js';
