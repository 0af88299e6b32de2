export { defineConfig, defineRelease } from './define.js';
export type * from './define.js';
export { formatDiagnostics, type Diagnostic, type Outcome } from './diagnostic.js';
export { CONFIG_NAMES, findConfig } from './source/find.js';
export { loadConfig, type LoadOptions, type LoadResult } from './load.js';
export { specFromCommandLine, type CommandLine, type CommandLineOptions } from './command-line.js';
export { isSecretKey, redactText } from './redact.js';
