/** The keys of a group of services that are released together, as people write them. */
import * as v from 'valibot';
import { POLICY_RULES } from '../../protocol/index.js';
import { BuildSource } from './build-source.js';
import { tcp } from './check.js';
import { FOREIGN_RELEASE_KEYS } from './foreign.js';
import { Hook, hooks } from './hook.js';
import * as leaf from './leaf.js';
import { object, record } from './object.js';
import { say, type Saying } from './say.js';
import { name } from './service.js';
import { action, ReleaseVerify, Traffic } from './verify.js';

const MANY = Number.MAX_SAFE_INTEGER;

/** One or several of them; always a list behind the schema. */
const oneOrMore = (example: string) =>
  v.pipe(
    v.union(
      [leaf.text(example), leaf.texts(`[${example}]`)],
      say('{value} is neither text nor a list of texts', `write {key}: ${example}`),
    ),
    v.transform((value) => (typeof value === 'string' ? [value] : value)),
  );

const sayInside: Saying = say('{value} does not lie in the release', 'write a relative path without ".."');

/** A path within the release. */
const inside = (example: string) =>
  v.pipe(
    leaf.text(example),
    v.check((path) => !path.startsWith('/') && !path.split('/').includes('..'), sayInside),
  );

const insides = (example: string) =>
  v.array(inside(example), say('{value} is not a list of paths', `write {key}: [${example}]`));

const InstallMap = object('{by: npm}', {
  by: v.exactOptional(leaf.oneOf(['auto', 'npm', 'pnpm', 'yarn', 'none'])),
  run: v.exactOptional(leaf.command),
  timeout: v.exactOptional(leaf.duration('10m', 1000)),
});

const policyRules = object(
  '{debug-port: warn}',
  Object.fromEntries(POLICY_RULES.map((rule) => [rule, v.exactOptional(action)])) as {
    [R in (typeof POLICY_RULES)[number]]: v.ExactOptionalSchema<typeof action, undefined>;
  },
);

const sayDay: Saying = say('{value} is not a day', 'write {key}: 2027-01-31');

const day = v.pipe(v.string(sayDay), v.check(isDay, sayDay));

/** The 31st of February would be taken for one of March. */
function isDay(text: string): boolean {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

const policy = object('{target: production}', {
  target: v.exactOptional(leaf.text('production')),
  rules: v.exactOptional(policyRules),
  testHosts: v.exactOptional(leaf.texts('[test.example.com]')),
  waivers: v.exactOptional(
    v.array(
      object('{rule: debug-port, reason: ..., until: 2027-01-31}', {
        rule: leaf.text('debug-port'),
        reason: leaf.text('why it does not hold'),
        until: day,
      }),
      say('{value} is not a list', 'write {key}: [{rule: debug-port, reason: ..., until: 2027-01-31}]'),
    ),
  ),
});

const requirement = object('{tcp: 5432}', {
  tcp: v.exactOptional(tcp),
  http: v.exactOptional(
    v.pipe(
      leaf.text('https://example.com/health'),
      v.regex(/^https?:\/\/[^\s/]/, say('{value} is not a URL', 'write {key}: https://example.com/health')),
    ),
  ),
  sql: v.exactOptional(
    v.pipe(
      leaf.text('DATABASE_URL'),
      // What was written instead may be a URL with a password: it is not quoted.
      v.regex(
        /^[A-Za-z_][A-Za-z0-9_]*$/,
        say('this is not the name of a variable', 'name the one that holds the URL: {key}: DATABASE_URL'),
      ),
    ),
  ),
  command: v.exactOptional(leaf.command),
  timeout: v.exactOptional(leaf.duration('10s', 1)),
});

export const Release = object(
  '{source: {type: file}}',
  {
    services: v.exactOptional(oneOrMore('api')),
    folder: v.exactOptional(leaf.text('/srv/shop')),
    source: v.exactOptional(BuildSource),
    root: v.exactOptional(inside('dist')),
    signature: v.exactOptional(leaf.command),
    install: v.exactOptional(
      v.union(
        [leaf.command, InstallMap],
        say('{value} is neither a word, a command nor a map', 'write {key}: npm, or {key}: none'),
      ),
    ),
    build: v.exactOptional(
      v.union(
        [leaf.command, Hook],
        say('{value} is neither a command nor a map', 'write {key}: npm run build'),
      ),
    ),
    linked: v.exactOptional(
      object('{folders: [uploads]}', {
        files: v.exactOptional(insides('config/local.json')),
        folders: v.exactOptional(insides('uploads')),
      }),
    ),
    contract: v.exactOptional(
      object('{env: .env.example}', {
        env: v.exactOptional(
          v.pipe(
            v.union(
              [inside('.env.example'), insides('.env.example')],
              say('{value} is not a path or a list of paths', 'write {key}: .env.example'),
            ),
            v.transform((value) => (typeof value === 'string' ? [value] : value)),
          ),
        ),
        schema: v.exactOptional(inside('config.schema.json')),
        module: v.exactOptional(inside('dist/config.js#schema')),
        files: v.exactOptional(insides('config/local.json')),
        unknown: v.exactOptional(action),
      }),
    ),
    policy: v.exactOptional(policy),
    node: v.exactOptional(leaf.text('">=20"')),
    requires: v.exactOptional(
      v.array(requirement, say('{value} is not a list', 'write {key}: [{tcp: 5432}]')),
    ),
    hooks: v.exactOptional(
      object('{beforeSwitch: npm run migrate}', {
        afterStage: v.exactOptional(hooks),
        afterInstall: v.exactOptional(hooks),
        beforeSwitch: v.exactOptional(hooks),
        afterSwitch: v.exactOptional(hooks),
        afterRelease: v.exactOptional(hooks),
        onFailure: v.exactOptional(hooks),
      }),
    ),
    verify: v.exactOptional(ReleaseVerify),
    traffic: v.exactOptional(Traffic),
    keep: v.exactOptional(leaf.wholeNumber(1, MANY, 5)),
  },
  FOREIGN_RELEASE_KEYS,
);
export type ParsedRelease = v.InferOutput<typeof Release>;

export const Releases = record('{shop: {source: {type: file}}}', name, Release);
