/** How sources say things. */
import { formatBytes } from '../../util/index.js';

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** `3 days ago`, `in 2 hours`, `just now` */
export function relative(time: string, now: number): string {
  const ms = now - Date.parse(time);
  for (const [unit, length] of UNITS) {
    const count = Math.floor(Math.abs(ms) / length);
    if (count === 0) continue;
    const words = `${count} ${unit}${count === 1 ? '' : 's'}`;
    return ms > 0 ? `${words} ago` : `in ${words}`;
  }
  return ms >= 0 ? 'just now' : 'in a moment';
}

/** `2026-11-17` */
export function dayOf(time: string): string {
  return time.slice(0, 10);
}

/** `build.zip, 12.3 MB` */
export function archiveOf(name: string, bytes: number | null | undefined): string {
  return bytes === null || bytes === undefined ? name : `${name}, ${formatBytes(bytes)}`;
}

export function shortCommit(sha: string): string {
  return sha.slice(0, 8);
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `{version}` and the like; a name without a value is answered instead. */
export function fillPlaces(
  text: string,
  values: Readonly<Record<string, string | undefined | null>>,
): { readonly filled: string } | { readonly missing: string } {
  let missing: string | undefined;
  const filled = text.replace(/\{(version|commit|ref)\}/g, (place, name: string) => {
    const value = values[name];
    if (value === undefined || value === null) missing ??= name;
    return value ?? place;
  });
  return missing === undefined ? { filled } : { missing };
}

/** Tags that stand for a version, the likeliest first. */
export function tagsOf(version: string): string[] {
  return version.startsWith('v') ? [version, version.slice(1)] : [`v${version}`, version];
}
