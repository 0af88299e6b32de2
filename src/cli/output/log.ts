/** Words what a service wrote: with its origin where several are mixed. */
import type { LogEntry } from '../../protocol/index.js';
import { outColors, type Paint } from './color.js';

const PALETTE: readonly Paint[] = [
  outColors.cyan,
  outColors.green,
  outColors.yellow,
  outColors.magenta,
  outColors.blue,
];

/** Services get their colours in the order in which they appear, and keep them. */
export function createLogFormat(services: readonly string[], isRaw = false): (entry: LogEntry) => string {
  if (isRaw) return ({ lines }) => lines.join('\n');
  const paints = new Map<string, Paint>();
  const paintOf = (service: string): Paint => {
    const paint = paints.get(service) ?? PALETTE[paints.size % PALETTE.length]!;
    paints.set(service, paint);
    return paint;
  };
  return ({ service, instance, stream, lines }) => {
    if (services.length === 1 && instance === null) return lines.join('\n');
    const origin = instance === null ? service : `${service}.${instance}`;
    const paint = stream === 'err' ? outColors.red : paintOf(service);
    return lines.map((line) => `${paint(`${origin} |`)} ${line}`).join('\n');
  };
}
