/** Reads points in time as people write them, in the time zone of this process. */
import { parseDuration } from './duration.js';

const CLOCK = /^(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,3}))?)?$/;
const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[T ]+(\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,3})?)?))?$/;
const WITH_ZONE = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)$/;
const DAYS: Readonly<Record<string, number>> = { today: 0, yesterday: -1 };

export const MOMENT_FORMS =
  '10m (ago), 14:05, 14:05:10, 2026-11-29, "2026-11-29 14:05", yesterday, or ISO 8601';

/**
 * Milliseconds since the epoch; undefined where it is none of MOMENT_FORMS. A clock time is the last one that was: at 14:00,
 * `15:00` is that of yesterday.
 */
export function parseMoment(text: string, now: Date): number | undefined {
  const trimmed = text.trim();
  const ago = parseDuration(trimmed);
  if (ago !== undefined) return now.getTime() - ago;
  if (trimmed === 'now') return now.getTime();
  const days = DAYS[trimmed];
  if (days !== undefined) return midnight(now, days);
  if (WITH_ZONE.test(trimmed)) return valid(Date.parse(trimmed.replace(',', '.')));
  return parseClock(trimmed, now) ?? parseDate(trimmed);
}

function parseClock(text: string, now: Date): number | undefined {
  const time = clockMs(text);
  if (time === undefined) return undefined;
  const today = at(now, 0, time);
  return today > now.getTime() ? at(now, -1, time) : today;
}

function parseDate(text: string): number | undefined {
  const [, year, month, day, clock] = DATE.exec(text) ?? [];
  if (year === undefined) return undefined;
  const date = new Date(Number(year), Number(month) - 1, Number(day));
  const isReal = date.getMonth() === Number(month) - 1 && date.getDate() === Number(day);
  const time = clock === undefined ? 0 : clockMs(clock);
  return isReal && time !== undefined ? at(date, 0, time) : undefined;
}

/** Of a day. */
function clockMs(text: string): number | undefined {
  const [, hours, minutes, seconds = '0', fraction = '0'] = CLOCK.exec(text) ?? [];
  if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59)
    return undefined;
  return (
    ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + Number(fraction.padEnd(3, '0'))
  );
}

function midnight(day: Date, days: number): number {
  return at(day, days, 0);
}

/** By the clock on the wall, also on a day that has 23 or 25 hours. */
function at(day: Date, days: number, clock: number): number {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days, 0, 0, 0, clock).getTime();
}

function valid(time: number): number | undefined {
  return Number.isNaN(time) ? undefined : time;
}
