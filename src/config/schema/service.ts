/** The keys of a service, as people write them. */
import * as v from 'valibot';
import { DEPENDENCY_CONDITIONS, HEALTH_ACTIONS, isInherited, ServiceName } from '../../protocol/index.js';
import { FOREIGN_KEYS } from './foreign.js';
import { check, httpCheck, pattern } from './check.js';
import * as leaf from './leaf.js';
import { object, record, sayInherited } from './object.js';
import { say, sayOneOf, type Saying } from './say.js';

const MANY = Number.MAX_SAFE_INTEGER;
const POLICIES = ['always', 'on-failure', 'never'] as const;
const READY_WORDS = ['start', 'port', 'message', 'notify'] as const;
const INHERIT = ['auto', 'node', 'systemd', 'off'] as const;

export const name = v.pipe(
  v.string(say('{value} is not a name', 'write name: api')),
  v.check(
    (value) => v.is(ServiceName, value),
    ({ input }) => {
      if (input === 'all')
        return say('"all" is not allowed as a name, it means every service', 'choose another name');
      if (isInherited(input)) return sayInherited;
      const hint = 'use letters, digits, "_", "." and "-", at most 64, for example api';
      return say('{value} is not a valid name', hint);
    },
  ),
);

const variable = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, ({ input }) =>
    say(`"${input}" is not a valid name of a variable`, 'use letters, digits and "_", for example LOG_LEVEL'),
  ),
);

export const env = record(
  '{KEY: value}',
  variable,
  v.pipe(
    v.union(
      [v.string(), v.number(), v.boolean(), v.null()],
      say('{value} is not text, a number, true, false or null', 'write {key}: "text"'),
    ),
    v.transform((value) => (value === null ? null : String(value))),
  ),
);

const sayPort = ({ input }: { input: unknown }): Saying => {
  const [, host, digits] = (typeof input === 'string' && /^(?:(.*):)?(\d+)$/.exec(input)) || [];
  if (host) return say('{value} is not a port', `write {port: ${digits}, host: "${host}"} for an address`);
  if (digits) {
    return say('{value} is text, not a port', `remove the quotes: write ${Number(digits)}`);
  }
  return say('{value} is not a port', 'write a whole number from 1 to 65535');
};

const portNumber = v.pipe(
  v.number(sayPort),
  v.integer(sayPort),
  v.minValue(1, sayPort),
  v.maxValue(65_535, sayPort),
);

const port = v.union(
  [
    portNumber,
    object('{port: 3000}', {
      port: portNumber,
      host: v.exactOptional(leaf.text('127.0.0.1')),
      name: v.exactOptional(leaf.text('http')),
    }),
  ],
  sayPort,
);

const restart = v.union(
  [
    leaf.oneOf(POLICIES),
    object('{policy: on-failure}', {
      policy: v.exactOptional(leaf.oneOf(POLICIES)),
      stopExitCodes: v.exactOptional(
        v.array(leaf.wholeNumber(0, 255, 0), say('{value} is not a list of exit codes', 'write {key}: [0]')),
      ),
      delay: v.exactOptional(leaf.duration('100ms')),
      maxDelay: v.exactOptional(leaf.duration('15s')),
      stable: v.exactOptional(leaf.duration('10s', 1)),
      limit: v.exactOptional(leaf.wholeNumber(1, MANY, 10)),
      window: v.exactOptional(leaf.duration('2m', 1)),
      retry: v.exactOptional(leaf.duration('60s', 1)),
    }),
  ],
  sayOneOf(POLICIES, ', or a map'),
);

const stop = object('{grace: 10s}', {
  signal: v.exactOptional(leaf.signal),
  drain: v.exactOptional(leaf.duration('10s')),
  message: v.exactOptional(leaf.flag),
  grace: v.exactOptional(leaf.duration('10s')),
  killScope: v.exactOptional(leaf.oneOf(['tree', 'process'])),
});

const yes = v.literal(true, say('{value} is not true', 'write {key}: true'));

const ready = v.union(
  [
    leaf.oneOf(READY_WORDS),
    object('{http: /health}', {
      ...check,
      log: v.exactOptional(pattern),
      message: v.exactOptional(yes),
      notify: v.exactOptional(yes),
      timeout: v.exactOptional(leaf.duration('30s', 1)),
    }),
  ],
  sayOneOf(READY_WORDS, ', or a map'),
);

const sockets = v.union(
  [
    leaf.oneOf(INHERIT),
    object('{hold: 30s}', {
      inherit: v.exactOptional(leaf.oneOf(INHERIT)),
      hold: v.exactOptional(leaf.duration('30s')),
      paths: v.exactOptional(leaf.texts('[/run/api.sock]')),
    }),
  ],
  sayOneOf(INHERIT, ', or a map'),
);

const reload = object('{verify: {http: /health}}', {
  maxSurge: v.exactOptional(leaf.wholeNumber(0, 1000, 1)),
  maxUnavailable: v.exactOptional(leaf.wholeNumber(0, 1000, 0)),
  stable: v.exactOptional(leaf.duration('1s')),
  verify: v.exactOptional(
    object('{http: /health}', {
      ...httpCheck,
      command: check.command,
      timeout: v.exactOptional(leaf.duration('10s', 1)),
    }),
  ),
});

const eventLoop = v.union(
  [
    v.literal(false),
    leaf.duration('30s', 500),
    object('{limit: 30s}', {
      limit: v.exactOptional(leaf.duration('30s', 500)),
      action: v.exactOptional(leaf.oneOf(HEALTH_ACTIONS)),
    }),
  ],
  say(
    '{value} is neither false, a duration of at least 500 ms nor a map',
    'write {key}: 30s, or {key}: false',
  ),
);

const health = object('{http: /health}', {
  ...check,
  interval: v.exactOptional(leaf.duration('5s', 100)),
  timeout: v.exactOptional(leaf.duration('2s', 1)),
  failures: v.exactOptional(leaf.wholeNumber(1, MANY, 3)),
  successes: v.exactOptional(leaf.wholeNumber(1, MANY, 2)),
  startPeriod: v.exactOptional(leaf.duration('30s')),
  action: v.exactOptional(leaf.oneOf(HEALTH_ACTIONS)),
  certificate: v.exactOptional(
    v.union(
      [v.literal(false), leaf.duration('14d')],
      say('{value} is neither false nor a duration', 'write {key}: 14d, or {key}: false'),
    ),
  ),
  eventLoop: v.exactOptional(eventLoop),
});

export const secret = object('{file: ./password}', {
  file: v.exactOptional(leaf.text('./password')),
  command: v.exactOptional(leaf.command),
});

const dependsOn = v.union(
  [
    v.string(),
    leaf.texts('[database]'),
    record('{database: ready}', v.string(), leaf.oneOf(DEPENDENCY_CONDITIONS)),
  ],
  say('{value} does not name services', 'write dependsOn: [database], or {database: ready}'),
);

const logs = object('{maxTotal: 1GB}', {
  maxSize: v.exactOptional(leaf.size),
  maxFiles: v.exactOptional(leaf.wholeNumber(1, 10_000, 100)),
  maxTotal: v.exactOptional(leaf.size),
  rotateEvery: v.exactOptional(leaf.duration('1d', 1000)),
  maxAge: v.exactOptional(leaf.duration('30d', 1000)),
  compress: v.exactOptional(leaf.flag),
  perInstance: v.exactOptional(leaf.flag),
});

const schedule = object('{run: "0 4 * * *"}', {
  restart: v.exactOptional(leaf.text('"0 4 * * *"')),
  run: v.exactOptional(leaf.text('"*/5 * * * *"')),
  overlap: v.exactOptional(leaf.oneOf(['skip', 'queue', 'replace'])),
  timezone: v.exactOptional(leaf.text('Europe/Berlin')),
});

const watch = v.union(
  [
    leaf.flag,
    leaf.texts('[src]'),
    object('{paths: [src]}', {
      paths: v.exactOptional(leaf.texts('[src]')),
      ignore: v.exactOptional(leaf.texts('[node_modules]')),
      delay: v.exactOptional(leaf.duration('200ms')),
    }),
  ],
  (issue) =>
    leaf.isYamlOneWord(issue.input)
      ? leaf.sayFlag(issue)
      : say('{value} is neither true, a list of paths nor a map', 'write watch: true, or watch: [src]'),
);

const instances = v.union(
  [leaf.wholeNumber(0, 1000, 2), v.literal('max')],
  say('{value} is not a whole number', 'write {key}: 2, or {key}: max'),
);

export const Service = object(
  '{script: server.js}',
  {
    name: v.exactOptional(name),
    script: v.exactOptional(leaf.text('server.js')),
    command: v.exactOptional(leaf.command),
    args: v.exactOptional(leaf.words),
    cwd: v.exactOptional(leaf.text('./api')),
    interpreter: v.exactOptional(leaf.text('node')),
    interpreterArgs: v.exactOptional(leaf.words),
    instances: v.exactOptional(instances),
    env: v.exactOptional(env),
    envFiles: v.exactOptional(
      v.pipe(
        v.union(
          [v.string(), leaf.texts('[.env]')],
          say('{value} is not a path or a list of paths', 'write envFiles: [.env]'),
        ),
        v.transform((value) => (typeof value === 'string' ? [value] : value)),
      ),
    ),
    secrets: v.exactOptional(record('{KEY: {file: ./key}}', variable, secret)),
    user: v.exactOptional(leaf.account),
    group: v.exactOptional(leaf.account),
    port: v.exactOptional(port),
    ports: v.exactOptional(
      v.array(port, say('{value} is not a list of ports', 'write ports: [3000], or port: 3000')),
    ),
    sockets: v.exactOptional(sockets),
    preload: v.exactOptional(leaf.flag),
    reload: v.exactOptional(reload),
    dependsOn: v.exactOptional(dependsOn),
    restartWithDependencies: v.exactOptional(leaf.flag),
    restart: v.exactOptional(restart),
    stop: v.exactOptional(stop),
    ready: v.exactOptional(ready),
    health: v.exactOptional(health),
    limits: v.exactOptional(object('{memory: 512MB}', { memory: v.exactOptional(leaf.size) })),
    logs: v.exactOptional(logs),
    alerts: v.exactOptional(
      v.union([leaf.flag, leaf.texts('[ops]')], (issue) =>
        leaf.isYamlOneWord(issue.input)
          ? leaf.sayFlag(issue)
          : say('{value} is neither true, false nor a list of names', 'write alerts: [ops]'),
      ),
    ),
    schedule: v.exactOptional(schedule),
    watch: v.exactOptional(watch),
    inheritEnv: v.exactOptional(
      v.union([leaf.flag, leaf.texts('[DISPLAY]')], (issue) =>
        leaf.isYamlOneWord(issue.input)
          ? leaf.sayFlag(issue)
          : say('{value} is neither true, false nor a list of names', 'write inheritEnv: [DISPLAY]'),
      ),
    ),
  },
  FOREIGN_KEYS,
);

export type ParsedService = v.InferOutput<typeof Service>;
export type ParsedEnv = v.InferOutput<typeof env>;
