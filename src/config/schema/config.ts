/** The whole file, as people write it. */
import * as v from 'valibot';
import type { UpkeepConfig } from '../define.js';
import { object, record } from './object.js';
import { say } from './say.js';
import { env, name, Service } from './service.js';

const Profile = object({
  services: v.exactOptional(record(name, Service)),
  env: v.exactOptional(env),
});

const NamedService = object({ ...Service.entries, name });

export const Config = object({
  services: v.union(
    [record(name, Service), v.array(NamedService)],
    say('{value} is neither a map nor a list of services', 'write services: {api: {script: server.js}}'),
  ),
  profiles: v.exactOptional(record(v.string(), Profile)),
  env: v.exactOptional(env),
});

/** Compiles only while the types of define.ts and this schema accept the same configurations. */
type Accepts<A extends B, B> = [A, B];
export type SchemaTakesTypes = Accepts<UpkeepConfig, v.InferInput<typeof Config>>;
export type TypesTakeSchema = Accepts<v.InferInput<typeof Config>, UpkeepConfig>;
