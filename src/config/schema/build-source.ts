/** Where the builds of a release come from, as people write it. */
import * as v from 'valibot';
import * as leaf from './leaf.js';
import { object, record } from './object.js';
import { say, sayOneOf } from './say.js';
import { secret } from './service.js';

const TYPES = ['gitlab', 'github', 'git', 'file', 'http', 'npm'] as const;

/** As text it would stand in the journal of releases, wherever the configuration has taken it from. */
const token = object(
  '{file: ./token}',
  secret.entries,
  {},
  say(
    'a token is given as text, which would be stored',
    'write {key}: {file: ./token}, and keep that file out of the repository',
  ),
);

const url = v.pipe(
  leaf.text('https://example.com/app.tgz'),
  v.regex(/^https?:\/\/[^\s/]/, say('{value} is not a URL', 'write {key}: https://example.com/app.tgz')),
);

const sha256 = v.union(
  [
    v.pipe(
      v.string(),
      v.regex(
        /^[\da-f]{64}$/i,
        say('{value} is not a sha256: it has 64 digits from 0 to f', 'write what sha256sum prints'),
      ),
      v.toLowerCase(),
    ),
    object('{url: https://example.com/app.tgz.sha256}', { url }),
  ],
  say(
    '{value} is neither a sha256 nor where one is found',
    'write what sha256sum prints, or {key}: {url: ...}',
  ),
);

export const BuildSource = v.variant(
  'type',
  [
    object('{type: gitlab}', {
      type: v.literal('gitlab'),
      url: v.exactOptional(url),
      project: v.exactOptional(
        v.pipe(
          v.union(
            [leaf.text('web/shop'), v.pipe(v.number(), v.integer(), v.minValue(1))],
            say('{value} is neither a path nor a number', 'write {key}: web/shop'),
          ),
          v.transform(String),
        ),
      ),
      job: v.exactOptional(leaf.text('build')),
      token: v.exactOptional(token),
      package: v.exactOptional(
        v.union(
          [
            leaf.text('shop'),
            object('{name: shop}', {
              name: leaf.text('shop'),
              file: v.exactOptional(leaf.text('shop.tar.gz')),
            }),
          ],
          say('{value} is neither a name nor a map', 'write {key}: shop'),
        ),
      ),
      keep: v.exactOptional(leaf.flag),
    }),
    object('{type: github}', {
      type: v.literal('github'),
      url: v.exactOptional(url),
      repository: v.exactOptional(
        v.pipe(
          leaf.text('owner/name'),
          v.regex(/^[\w.-]+\/[\w.-]+$/, say('{value} is not owner/name', 'write {key}: owner/name')),
        ),
      ),
      artifact: v.exactOptional(leaf.text('build')),
      asset: v.exactOptional(leaf.text('shop.tar.gz')),
      token: v.exactOptional(token),
    }),
    object('{type: git}', {
      type: v.literal('git'),
      url: v.exactOptional(leaf.text('git@example.com:web/shop.git')),
      ref: v.exactOptional(leaf.text('main')),
    }),
    object('{type: file}', { type: v.literal('file'), path: v.exactOptional(leaf.text('./shop.tar.gz')) }),
    object('{type: http}', {
      type: v.literal('http'),
      url: v.exactOptional(
        v.union(
          [url, secret],
          say('{value} is neither a URL nor a secret', 'write {key}: https://example.com/app.tgz'),
        ),
      ),
      sha256: v.exactOptional(sha256),
      headers: v.exactOptional(
        record(
          '{accept: application/gzip}',
          v.string(),
          v.union(
            [v.string(), secret],
            say('{value} is neither text nor a secret', 'write {key}: {file: ./token}'),
          ),
        ),
      ),
    }),
    object('{type: npm}', {
      type: v.literal('npm'),
      package: v.exactOptional(leaf.text("'@web/shop'")),
      registry: v.exactOptional(url),
      token: v.exactOptional(token),
    }),
  ],
  // With a path it is about the type, else about the whole.
  ({ input, path }) => {
    const example = 'write source: {type: gitlab, project: web/shop, job: build}';
    if (!path) return say('{value} does not say where builds come from', example);
    return input === undefined ? say('no type is given', example) : sayOneOf(TYPES)({ input });
  },
);
export type ParsedSource = v.InferOutput<typeof BuildSource>;
