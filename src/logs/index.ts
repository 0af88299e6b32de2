export * from './line-framer.js';
export * from './log-file.js';
export * from './service-log.js';
export * from './last-lines.js';
