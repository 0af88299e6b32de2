/** Who is told of what happens to services, and what such a notice says. */
import * as v from 'valibot';
import { plainName } from './name.js';
import { SecretSpec } from './secret.js';

const timestamp = v.pipe(v.string(), v.isoTimestamp());
const minuteOfDay = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1439));

/**
 * `crash`: an instance ended that was not to. `crash-loop`: again and again. `unhealthy`: its health check fails.
 * `new-error`: it wrote an error of a kind that it never wrote before. `operation-failed`: a restart or reload, for example.
 * `memory-growing`: its memory grows without an end, and the limit or that of the machine comes near.
 * `certificate`: one that is shown to its checks expires soon.
 * `disk`: that of the home is about to be full.
 * `warning`: everything that `upkeep events` shows as a warning, lost lines of a log or a restarted daemon for example.
 */
export const ALERT_KINDS = [
  'crash',
  'crash-loop',
  'unhealthy',
  'new-error',
  'operation-failed',
  'memory-growing',
  'certificate',
  'disk',
  'warning',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** What a notice tells: that something is wrong, that it still is, that it is over, or that notices arrive. */
export const NOTICE_PHASES = ['problem', 'still', 'recovered', 'test'] as const;

export const SmtpSpec = v.strictObject({
  host: v.string(),
  port: v.number(),
  /** TLS from the beginning; otherwise STARTTLS where the server offers it. */
  secure: v.boolean(),
  user: v.nullable(v.string()),
  password: v.nullable(SecretSpec),
});

export const AlertTarget = v.variant('via', [
  /** The URL is as good as a password: it is shown nowhere. */
  v.strictObject({
    via: v.literal('webhook'),
    url: v.union([v.strictObject({ text: v.string() }), SecretSpec]),
    /** Instead of the notice itself: JSON in whose texts `{text}` and the like are filled in. */
    body: v.nullable(v.record(v.string(), v.unknown())),
  }),
  /** Gets the notice as JSON on stdin. */
  v.strictObject({
    via: v.literal('command'),
    argv: v.pipe(v.array(v.string()), v.minLength(1)),
    cwd: v.string(),
  }),
  v.strictObject({
    via: v.literal('email'),
    to: v.pipe(v.array(v.string()), v.minLength(1)),
    from: v.nullable(v.string()),
    /** null: by sendmail of this machine. */
    smtp: v.nullable(SmtpSpec),
  }),
]);
export type AlertTarget = v.InferOutput<typeof AlertTarget>;

export const QuietSpec = v.strictObject({
  from: minuteOfDay,
  /** Before `from`: on the next day. */
  to: minuteOfDay,
  timezone: v.nullable(v.string()),
  /** Told at once all the same. */
  except: v.array(v.picklist(ALERT_KINDS)),
});
export type QuietSpec = v.InferOutput<typeof QuietSpec>;

export const AlertSpec = v.strictObject({
  name: plainName(),
  target: AlertTarget,
  on: v.array(v.picklist(ALERT_KINDS)),
  /** The same is not told again before. */
  repeatMs: v.pipe(v.number(), v.minValue(1000)),
  recovery: v.boolean(),
  quiet: v.nullable(QuietSpec),
  subject: v.nullable(v.string()),
  text: v.nullable(v.string()),
});
export type AlertSpec = v.InferOutput<typeof AlertSpec>;

/** What receivers get, as JSON. */
export const Notice = v.strictObject({
  /** The same for a notice that is sent again because nobody knows whether it arrived. */
  id: v.string(),
  alert: v.string(),
  phase: v.picklist(NOTICE_PHASES),
  kind: v.nullable(v.picklist(ALERT_KINDS)),
  service: v.nullable(v.string()),
  instance: v.nullable(v.number()),
  /** One line. */
  subject: v.string(),
  text: v.string(),
  host: v.string(),
  at: timestamp,
  /** When it began. */
  since: timestamp,
  /** How often it happened since the notice before. */
  count: v.number(),
  /** It may have arrived before: the daemon ended before it knew. */
  isRepeated: v.boolean(),
});
export type Notice = v.InferOutput<typeof Notice>;

export const AlertView = v.strictObject({
  name: v.string(),
  via: v.picklist(['webhook', 'command', 'email']),
  /** Where notices go, without what must stay secret. */
  to: v.string(),
  on: v.array(v.picklist(ALERT_KINDS)),
  services: v.array(v.string()),
  /** Notices that are still to be delivered, or wait for the end of quiet hours. */
  pending: v.number(),
  deliveredAt: v.nullable(timestamp),
  /** Why the last try failed; null: it did not. */
  failure: v.nullable(v.string()),
});
export type AlertView = v.InferOutput<typeof AlertView>;

export const AlertTest = v.strictObject({ name: v.nullable(v.string()) });
