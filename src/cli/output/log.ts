/** Words one line of a service: with its origin where several are mixed. */
import type { LogLine } from '../../protocol/index.js';
import { outColors, type Paint } from './color.js';

const PALETTE: readonly Paint[] = [
  outColors.cyan,
  outColors.green,
  outColors.yellow,
  outColors.magenta,
  outColors.blue,
];

/** Services get their colours in the order in which they appear, and keep them. */
export function createLogFormat(services: readonly string[], isRaw = false): (line: LogLine) => string {
  if (isRaw) return ({ line }) => line;
  const paints = new Map<string, Paint>();
  const paintOf = (service: string): Paint => {
    const paint = paints.get(service) ?? PALETTE[paints.size % PALETTE.length]!;
    paints.set(service, paint);
    return paint;
  };
  return ({ service, instance, stream, line }) => {
    if (services.length === 1 && instance === null) return line;
    const origin = instance === null ? service : `${service}.${instance}`;
    const paint = stream === 'err' ? outColors.red : paintOf(service);
    return `${paint(`${origin} |`)} ${line}`;
  };
}
