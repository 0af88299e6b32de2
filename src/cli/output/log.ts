/** Words what a service wrote: when, who, and the lines; a line of JSON as its level, its message and the rest. */
import type { LogEntry, LogLevel } from '../../protocol/index.js';
import { isColorful, outColors, type Paint } from './color.js';
import { readableFields } from './log-fields.js';
import { harmless } from './terminal-text.js';
import { formatInstant } from './time.js';

const PALETTE: readonly Paint[] = [
  outColors.cyan,
  outColors.green,
  outColors.yellow,
  outColors.magenta,
  outColors.blue,
];

const LEVEL_PAINTS: Readonly<Record<LogLevel, Paint>> = {
  trace: outColors.dim,
  debug: outColors.dim,
  info: outColors.green,
  warn: outColors.yellow,
  error: outColors.red,
  fatal: (text) => outColors.bold(outColors.red(text)),
};

/** Services get their colours in the order in which they appear, and keep them. */
export function createLogFormat(): (entry: LogEntry) => string {
  const hasColours = isColorful(process.stdout, process.env);
  const paints = new Map<string, Paint>();
  const paintOf = (service: string): Paint => {
    const paint = paints.get(service) ?? PALETTE[paints.size % PALETTE.length]!;
    paints.set(service, paint);
    return paint;
  };
  let width = 0;
  return (entry) => {
    const origin = originOf(entry);
    width = Math.max(width, Math.min(origin.length, MAX_WIDTH));
    const time = entry.at === null ? '' : formatInstant(entry.at);
    const paint = entry.stream === 'err' ? outColors.red : paintOf(entry.service);
    const margin = paint(`${origin.padEnd(width)} |`);
    return linesOf(entry, hasColours)
      .map((line, index) => {
        const beginning = index === 0 ? outColors.dim(time) : ' '.repeat(time.length);
        return `${beginning}${time === '' ? '' : ' '}${margin} ${line}`;
      })
      .join('\n');
  };
}

/** Names of services that are longer push their lines aside. */
const MAX_WIDTH = 24;

function originOf({ service, instance, stream }: LogEntry): string {
  const name = instance === null ? service : `${service}.${instance}`;
  return stream === 'err' ? `${name} err` : name;
}

function linesOf({ lines, level, message, fields }: LogEntry, hasColours: boolean): string[] {
  if (!fields) return lines.map((line) => harmless(line, hasColours));
  const { pairs, stack } = readableFields(fields, message);
  const [first = '', ...others] = (message ?? '').split('\n').map((line) => harmless(line, hasColours));
  const word = level && LEVEL_PAINTS[level](level.toUpperCase().padEnd(5));
  const rest = pairs.map((pair) => outColors.dim(harmless(pair, false)));
  const head = [word, first, ...rest].filter(Boolean).join(' ');
  return [head, ...others, ...[...stack, ...lines.slice(1)].map((line) => harmless(line, hasColours))];
}
