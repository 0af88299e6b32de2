/** How a release is judged, and who is told to send it traffic, as people write it. */
import * as v from 'valibot';
import { VERDICT_ACTIONS } from '../../protocol/index.js';
import { check, httpCheck } from './check.js';
import { Hook } from './hook.js';
import * as leaf from './leaf.js';
import { object, record } from './object.js';
import { say } from './say.js';

const MANY = Number.MAX_SAFE_INTEGER;

/** What is done about something that was found. */
export const action = v.picklist(
  VERDICT_ACTIONS,
  say('{value} is nothing that could be done about it', 'write {key}: refuse, warn or ignore'),
);

const path = v.pipe(
  leaf.text('/health'),
  v.regex(/^(?:\/|https?:\/\/)/, say('{value} is neither a path nor a URL', 'write {key}: /health')),
);

const Smoke = object('{http: /health}', {
  ...httpCheck,
  command: check.command,
  timeout: v.exactOptional(leaf.duration('10s', 1)),
  service: v.exactOptional(leaf.text('api')),
});

const oneSmoke = v.union(
  [path, Smoke],
  say('{value} is neither a path nor a check', 'write {key}: /health, or {http: /health}'),
);

export const ReleaseVerify = object('{smoke: /health}', {
  smoke: v.exactOptional(
    v.union(
      [path, Smoke, v.array(oneSmoke)],
      say('{value} is neither a path, a check nor a list of those', 'write {key}: /health'),
    ),
  ),
  stable: v.exactOptional(leaf.duration('2s')),
  canary: v.exactOptional(
    v.union(
      [
        v.literal(false),
        object('{instances: 1}', {
          instances: v.exactOptional(leaf.wholeNumber(1, 1000, 1)),
          for: v.exactOptional(leaf.duration('30s')),
        }),
      ],
      say('{value} is neither false nor a map', 'write {key}: {instances: 1}, or {key}: false'),
    ),
  ),
  for: v.exactOptional(leaf.duration('30s')),
  bake: v.exactOptional(leaf.duration('60s')),
  minRequests: v.exactOptional(leaf.wholeNumber(1, MANY, 200)),
  alpha: v.exactOptional(
    v.pipe(
      v.number(say('{value} is not a number', 'write {key}: 0.01')),
      v.check(
        (value) => value > 0 && value < 1,
        say('{value} is not a risk between 0 and 1', 'write {key}: 0.01'),
      ),
    ),
  ),
  errorRate: v.exactOptional(action),
  latency: v.exactOptional(action),
  newErrors: v.exactOptional(action),
  memory: v.exactOptional(action),
  noData: v.exactOptional(leaf.oneOf(['hold', 'smoke'])),
  hold: v.exactOptional(leaf.duration('5m')),
});
export type ParsedVerify = v.InferOutput<typeof ReleaseVerify>;
export type ParsedSmoke = string | v.InferOutput<typeof Smoke>;

const haproxy = object('{sockets: /run/haproxy.sock, servers: {api: web/app1}}', {
  sockets: v.pipe(
    v.union(
      [leaf.text('/run/haproxy.sock'), leaf.texts('[/run/haproxy.sock]')],
      say('{value} is neither a socket nor a list of sockets', 'write {key}: /run/haproxy.sock'),
    ),
    v.transform((value) => (typeof value === 'string' ? [value] : value)),
    v.minLength(1, say('no socket is listed', 'write {key}: /run/haproxy.sock')),
  ),
  servers: record(
    '{api: web/app1}',
    v.string(),
    v.pipe(
      leaf.text('web/app1'),
      v.regex(
        /^[^/\s]+\/[^/\s]+$/,
        say('{value} is not a server', 'write backend/server, for example {key}: web/app1'),
      ),
    ),
  ),
  canaryWeight: v.exactOptional(leaf.wholeNumber(1, 100, 10)),
  drain: v.exactOptional(leaf.duration('30s')),
  allowLast: v.exactOptional(leaf.flag),
});

const command = v.union(
  [leaf.text('./lb.sh out'), Hook],
  say('{value} is neither a command nor a map', 'write {key}: ./lb.sh {key}'),
);

export const Traffic = object('{haproxy: {sockets: /run/haproxy.sock, servers: {api: web/app1}}}', {
  haproxy: v.exactOptional(haproxy),
  command: v.exactOptional(object('{out: ./lb.sh out, in: ./lb.sh in}', { out: command, in: command })),
});
export type ParsedTraffic = v.InferOutput<typeof Traffic>;
