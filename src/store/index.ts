export * from './state-file.js';
export * from './journal.js';
export * from './event-store.js';
