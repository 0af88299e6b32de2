/** The alerts that concern a service, with every default filled in. */
import { ALERT_KINDS, type AlertSpec, type AlertTarget } from '../../protocol/index.js';
import { mostSimilar } from '../../util/index.js';
import type { Report } from '../diagnostic.js';
import type { AlertDraft, Draft } from '../draft.js';
import type { ParsedAlert } from '../schema.js';
import { waysOf } from '../rules/alerts.js';
import { resolveCommand, type ProgramContext } from './program.js';
import { secretSpec } from './secret.js';

const REPEAT_MS = 30 * 60_000;
const AT_ONCE = ['crash-loop', 'unhealthy', 'disk'] as const;

export async function alertSpecs(
  draft: Draft,
  context: ProgramContext,
  report: Report,
): Promise<AlertSpec[]> {
  const wanted = choose(draft, report);
  const specs = await Promise.all(wanted.map((each) => alertSpec(each, context, report)));
  return specs.filter((spec) => spec !== undefined);
}

function choose({ service, alerts, place }: Draft, report: Report): readonly AlertDraft[] {
  const { alerts: wanted = true } = service;
  if (wanted === true) return alerts;
  if (wanted === false) return [];
  const known = alerts.map(({ name }) => name);
  for (const [index, name] of wanted.entries()) {
    if (known.includes(name)) continue;
    const near = mostSimilar(name, known);
    const names = known.length > 0 ? `known: ${known.join(', ')}` : 'the file has no alerts';
    report({
      path: place(['alerts', index]),
      message: `"${name}" is not an alert of this file`,
      hint: near ? `did you mean "${near}"?` : names,
    });
  }
  return alerts.filter(({ name }) => wanted.includes(name));
}

async function alertSpec(
  { name, alert, path }: AlertDraft,
  context: ProgramContext,
  report: Report,
): Promise<AlertSpec | undefined> {
  if (waysOf(alert).length !== 1) return undefined; // rules/alerts.ts says so
  const refuse: ProgramContext['refuse'] = (part, message, hint) =>
    report({ path: [...path, ...part], message, hint });
  return {
    name,
    target: await targetOf(alert, { ...context, refuse }),
    on: alert.on ?? [...ALERT_KINDS],
    repeatMs: alert.repeat ?? REPEAT_MS,
    recovery: alert.recovery ?? true,
    quiet: quietSpec(alert.quiet),
    subject: alert.subject ?? null,
    text: alert.text ?? null,
  };
}

async function targetOf(alert: ParsedAlert, context: ProgramContext): Promise<AlertTarget> {
  const { webhook, command, email, body = null } = alert;
  if (typeof webhook === 'string') return { via: 'webhook', url: { text: webhook }, body };
  if (webhook) return { via: 'webhook', url: await secretSpec(webhook, ['webhook'], context), body };
  if (command !== undefined)
    return { via: 'command', argv: await resolveCommand(command, ['command'], context), cwd: context.folder };
  const {
    to,
    from = null,
    smtp,
  } = typeof email === 'string' || Array.isArray(email) ? { to: email } : email!;
  const password = smtp?.password;
  return {
    via: 'email',
    to: typeof to === 'string' ? [to] : to,
    from,
    smtp: smtp
      ? {
          host: smtp.host,
          port: smtp.port ?? (smtp.secure ? 465 : 587),
          secure: smtp.secure ?? false,
          user: smtp.user ?? null,
          password: password ? await secretSpec(password, ['email', 'smtp', 'password'], context) : null,
        }
      : null,
  };
}

function quietSpec(quiet: ParsedAlert['quiet']): AlertSpec['quiet'] {
  if (!quiet) return null;
  const { from, to, timezone = null, except = [...AT_ONCE] } = quiet;
  return { from: minuteOf(from), to: minuteOf(to), timezone, except };
}

function minuteOf(time: string): number {
  const [hours, minutes] = time.split(':').map(Number);
  return hours! * 60 + minutes!;
}
