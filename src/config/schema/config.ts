/** The whole file, as people write it. */
import * as v from 'valibot';
import type { UpkeepConfig } from '../define.js';
import { Alerts } from './alert.js';
import { FOREIGN_KEYS } from './foreign.js';
import { EXAMPLE } from './issue.js';
import { object, record } from './object.js';
import { say } from './say.js';
import { Releases } from './release.js';
import { env, name, Service } from './service.js';

const Profile = object('{services: {api: {instances: 2}}}', {
  services: v.exactOptional(record('{api: {script: server.js}}', name, Service)),
  env: v.exactOptional(env),
  alerts: v.exactOptional(Alerts),
  releases: v.exactOptional(Releases),
});

const NamedService = object('{name: api, script: server.js}', { ...Service.entries, name }, FOREIGN_KEYS);

export const Config = object(
  EXAMPLE,
  {
    $schema: v.exactOptional(v.string()),
    services: v.union(
      [record('{api: {script: server.js}}', name, Service), v.array(NamedService)],
      say('{value} is neither a map nor a list of services', 'write services: {api: {script: server.js}}'),
    ),
    profiles: v.exactOptional(record('{production: {}}', v.string(), Profile)),
    env: v.exactOptional(env),
    alerts: v.exactOptional(Alerts),
    releases: v.exactOptional(Releases),
  },
  FOREIGN_KEYS,
);

/** Compiles only while the types of define.ts and this schema accept the same configurations. */
type Accepts<A extends B, B> = [A, B];
export type SchemaTakesTypes = Accepts<UpkeepConfig, v.InferInput<typeof Config>>;
export type TypesTakeSchema = Accepts<v.InferInput<typeof Config>, UpkeepConfig>;
