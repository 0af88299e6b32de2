/** Public face of the schema. */
export { Config } from './schema/config.js';
export type { StatusRange } from './schema/check.js';
export { env as Env, Service, type ParsedEnv, type ParsedService } from './schema/service.js';
export { Alert, type ParsedAlert } from './schema/alert.js';
export { isMap } from './schema/object.js';
export { problemsOf } from './schema/issue.js';
