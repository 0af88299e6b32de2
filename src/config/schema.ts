/** Public face of the schema. */
export { Config } from './schema/config.js';
export type { StatusRange } from './schema/check.js';
export { env as Env, Service, type ParsedEnv, type ParsedService } from './schema/service.js';
export { Alert, type ParsedAlert } from './schema/alert.js';
export { Release, type ParsedRelease } from './schema/release.js';
export type { ParsedSource } from './schema/build-source.js';
export type { ParsedHook } from './schema/hook.js';
export type { ParsedSmoke, ParsedTraffic, ParsedVerify } from './schema/verify.js';
export { isMap } from './schema/object.js';
export { problemsOf } from './schema/issue.js';
