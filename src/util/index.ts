export * from './unreachable.js';
export * from './deferred.js';
export * from './duration.js';
export * from './bytes.js';
export * from './similar.js';
export * from './quote.js';
export * from './moment.js';
export * from './pattern.js';
