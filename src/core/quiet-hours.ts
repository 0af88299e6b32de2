/** Decides until when a notice waits. */
import type { AlertKind, QuietSpec } from '../protocol/index.js';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;

/** Milliseconds since the epoch; undefined: it does not wait. */
export function quietUntil(quiet: QuietSpec | null, kind: AlertKind, now: number): number | undefined {
  if (!quiet || quiet.except.includes(kind)) return undefined;
  const { from, to, timezone } = quiet;
  const minute = minuteOfDay(now, timezone);
  const since = (minute - from + DAY_MINUTES) % DAY_MINUTES;
  const length = (to - from + DAY_MINUTES) % DAY_MINUTES;
  if (since >= length) return undefined;
  const until = (Math.floor(now / MINUTE_MS) + length - since) * MINUTE_MS;
  // The clocks may be set in between: not where that time of the day does not exist then.
  const late = ((minuteOfDay(until, timezone) - to + 1.5 * DAY_MINUTES) % DAY_MINUTES) - DAY_MINUTES / 2;
  const exact = until - late * MINUTE_MS;
  return minuteOfDay(exact, timezone) === to ? exact : until;
}

function minuteOfDay(now: number, timezone: string | null): number {
  const format = new Intl.DateTimeFormat('en-GB', {
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
    ...(timezone === null ? {} : { timeZone: timezone }),
  });
  const parts = Object.fromEntries(format.formatToParts(now).map(({ type, value }) => [type, Number(value)]));
  return (parts['hour'] ?? 0) * 60 + (parts['minute'] ?? 0);
}
