/** Cron expressions and time zones must mean something. */
import type { Report } from '../diagnostic.js';
import type { Draft } from '../draft.js';
import { isMany } from './service.js';

export async function checkSchedule({ service, place, broken }: Draft, report: Report): Promise<void> {
  const { schedule } = service;
  if (!schedule) return;
  for (const key of ['restart', 'run'] as const) {
    const pattern = schedule[key];
    const reason = pattern === undefined ? undefined : await whyNotCron(pattern);
    if (reason === undefined) continue;
    report({
      path: place(['schedule', key]),
      message: `"${pattern}" is not a cron expression: ${reason}`,
      hint: 'write minute, hour, day, month and weekday, for example "0 4 * * *"',
    });
  }
  if (schedule.timezone !== undefined && !isTimezone(schedule.timezone)) {
    report({
      path: place(['schedule', 'timezone']),
      message: `"${schedule.timezone}" is not a known time zone`,
      hint: 'write an IANA name, for example Europe/Berlin or UTC',
    });
  }
  if ((schedule.restart === undefined) === (schedule.run === undefined)) {
    report({
      path: place(['schedule']),
      at: 'key',
      message:
        schedule.run === undefined ? 'neither restart nor run is given' : 'both restart and run are given',
      hint: 'write run for a job that ends by itself, restart for a service that stays',
    });
  }
  if (schedule.run !== undefined && isMany(service) && !broken.has('instances')) {
    report({
      path: place(['instances']),
      message: `schedule.run runs one instance, not ${service.instances}`,
      hint: 'write instances: 1, or split the job into several services',
    });
  }
}

async function whyNotCron(pattern: string): Promise<string | undefined> {
  const { Cron } = await import('croner');
  try {
    new Cron(pattern, { paused: true }).stop();
    return undefined;
  } catch (error) {
    const reason = (error as Error).message.replace(/^CronPattern: /, '').replace(/\.$/, '');
    return `${reason.charAt(0).toLowerCase()}${reason.slice(1)}`;
  }
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false; // RangeError is how Intl says no
  }
}
