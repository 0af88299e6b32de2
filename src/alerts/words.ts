/** Words a notice: what is wrong, since when, and what to look at next. */
import type { Told } from '../core/index.js';
import type { AlertKind, AlertSpec, Notice } from '../protocol/index.js';
import { formatDuration } from '../util/index.js';

const FACTS: Readonly<Record<AlertKind, string>> = {
  crash: 'ended',
  'crash-loop': 'ends again and again',
  unhealthy: 'is unhealthy',
  'new-error': 'has an error that it never had before',
  'operation-failed': 'was not changed as asked',
  'memory-growing': 'grows in memory',
  certificate: 'has a certificate that expires',
  disk: 'has next to no disk left',
  warning: 'warning',
};

export interface NoticeSource {
  readonly id: string;
  readonly host: string;
  /** Wall clock, milliseconds. */
  readonly now: number;
}

export function wordNotice(told: Told, alert: AlertSpec, { id, host, now }: NoticeSource): Notice {
  const notice: Notice = {
    id,
    alert: alert.name,
    phase: told.phase,
    kind: told.kind,
    service: told.service,
    instance: told.instance,
    subject: subjectOf(told, host),
    text: '',
    host,
    at: new Date(now).toISOString(),
    since: new Date(told.since).toISOString(),
    count: told.count,
    isRepeated: false,
  };
  const text = [notice.subject, ...detailsOf(told, now)].join('\n');
  const places = { ...placesOf(notice), text, detail: told.detail };
  return {
    ...notice,
    subject: alert.subject === null ? notice.subject : oneLine(fill(alert.subject, places)),
    text: alert.text === null ? text : fill(alert.text, places),
  };
}

export function wordTest(alert: AlertSpec, { id, host, now }: NoticeSource): Notice {
  const at = new Date(now).toISOString();
  const subject = `[${host}] upkeep: a test of the alert "${alert.name}"`;
  return {
    id,
    alert: alert.name,
    phase: 'test',
    kind: null,
    service: null,
    instance: null,
    subject,
    text: `${subject}\nNothing is wrong: somebody ran upkeep alerts test.`,
    host,
    at,
    since: at,
    count: 1,
    isRepeated: false,
  };
}

/** `{service}` and the like; what there is no place for stays as it is. */
export function fill(template: string, places: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, key: string) =>
    Object.hasOwn(places, key) ? places[key]! : whole,
  );
}

/** What a template may ask for. */
export function placesOf(notice: Notice): Readonly<Record<string, string>> {
  const values = Object.entries(notice).map(([key, value]) => [key, value === null ? '' : String(value)]);
  return Object.fromEntries(values) as Record<string, string>;
}

function subjectOf({ service, instance, kind, phase, detail, count }: Told, host: string): string {
  const who = service === null ? 'upkeep' : instance === null ? service : `${service}.${instance}`;
  const times = count > 1 ? `, ${count} times` : '';
  const facts = {
    problem: `${who} ${FACTS[kind]}${times}: ${detail}`,
    still: `${who} still ${FACTS[kind]}${times}: ${detail}`,
    recovered: `${who} is well again (it was: ${FACTS[kind]})`,
  };
  return oneLine(`[${host}] ${kind === 'warning' ? `${who}: ${detail}${times}` : facts[phase]}`);
}

function detailsOf({ service, kind, phase, since }: Told, now: number): string[] {
  const began = new Date(since).toISOString();
  if (phase === 'recovered') return [`It lasted ${formatDuration(now - since)}, from ${began} on.`];
  const next: Readonly<Record<AlertKind, string>> = {
    crash: `upkeep why ${service}`,
    'crash-loop': `upkeep why ${service}`,
    unhealthy: `upkeep show ${service}`,
    'new-error': `upkeep errors ${service} --new`,
    'operation-failed': 'upkeep operations',
    'memory-growing': `upkeep tree ${service}`,
    certificate: `upkeep show ${service}`,
    disk: 'upkeep doctor',
    warning: 'upkeep events',
  };
  return [...(phase === 'still' ? [`Since ${began}.`] : []), `Look at it: ${next[kind]}`];
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').slice(0, 300);
}
