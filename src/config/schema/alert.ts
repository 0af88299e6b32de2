/** The keys of an alert, as people write them. */
import * as v from 'valibot';
import { ALERT_KINDS } from '../../protocol/index.js';
import * as leaf from './leaf.js';
import { object, record } from './object.js';
import { say } from './say.js';
import { name, secret } from './service.js';

const url = v.pipe(
  leaf.text('https://example.com/hook'),
  v.regex(/^https?:\/\//, say('{value} is not a URL', 'write {key}: https://example.com/hook')),
);

const addresses = v.union(
  [leaf.text('ops@example.com'), leaf.texts('[ops@example.com]')],
  say('{value} is neither an address nor a list of addresses', 'write {key}: ops@example.com'),
);

const minutes = v.pipe(
  v.string(say('{value} is not a time of day', 'write {key}: "22:00"')),
  v.regex(/^(?:[01]?\d|2[0-3]):[0-5]\d$/, say('{value} is not a time of day', 'write {key}: "22:00"')),
);

const kinds = v.array(leaf.oneOf(ALERT_KINDS), say('{value} is not a list of words', 'write {key}: [crash]'));

export const Alert = object('{webhook: https://example.com/hook}', {
  webhook: v.exactOptional(
    v.union(
      [url, secret],
      say('{value} is not a URL', 'write {key}: https://example.com/hook, or {file: ./hook}'),
    ),
  ),
  body: v.exactOptional(record('{text: "{text}"}', v.string(), v.unknown())),
  command: v.exactOptional(leaf.command),
  email: v.exactOptional(
    v.union(
      [
        addresses,
        object('{to: ops@example.com}', {
          to: addresses,
          from: v.exactOptional(leaf.text('upkeep@example.com')),
          smtp: v.exactOptional(
            object('{host: mail.example.com}', {
              host: leaf.text('mail.example.com'),
              port: v.exactOptional(leaf.wholeNumber(1, 65_535, 587)),
              secure: v.exactOptional(leaf.flag),
              user: v.exactOptional(leaf.text('upkeep')),
              password: v.exactOptional(secret),
            }),
          ),
        }),
      ],
      say('{value} is neither an address nor a map', 'write {key}: ops@example.com'),
    ),
  ),
  on: v.exactOptional(kinds),
  repeat: v.exactOptional(leaf.duration('30m', 1000)),
  recovery: v.exactOptional(leaf.flag),
  quiet: v.exactOptional(
    object('{from: "22:00", to: "07:00"}', {
      from: minutes,
      to: minutes,
      timezone: v.exactOptional(leaf.text('Europe/Berlin')),
      except: v.exactOptional(kinds),
    }),
  ),
  subject: v.exactOptional(leaf.text('"{service}: {detail}"')),
  text: v.exactOptional(leaf.text('"{service}: {detail}"')),
});
export type ParsedAlert = v.InferOutput<typeof Alert>;

export const Alerts = record('{ops: {webhook: https://example.com/hook}}', name, Alert);
