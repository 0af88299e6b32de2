export * from './level.js';
export * from './parse-line.js';
export * from './record-assembler.js';
