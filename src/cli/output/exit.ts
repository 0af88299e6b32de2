/** Words the end of a service that nobody asked for and that came right after its start. */
import type { ExitView, OperationView, ServiceView } from '../../protocol/index.js';
import { formatDuration } from '../../util/index.js';
import type { Worded } from './error.js';

/** By what it crashed, or how it ended otherwise. */
export function wordEnd({ error, reason }: ExitView): string {
  if (!error) return reason;
  const { type, message, at } = error;
  const words = [type, message].filter((part) => part !== null && part !== '').join(': ');
  return at === null ? words : `${words} (${at})`;
}

/** undefined: each of them lives, or ended as it was meant to. */
export function endedEarly(services: readonly ServiceView[], operation: OperationView): Worded | undefined {
  if (operation.status !== 'succeeded') return undefined; // said already
  const begun = Date.parse(operation.startedAt ?? operation.acceptedAt);
  for (const { name, instances } of services) {
    const exit = instances.find((instance) => instance.exit && Date.parse(instance.exit.at) >= begun)?.exit;
    if (!exit || exit.code === 0 || exit.askedBy !== null) continue;
    return {
      message: `Cannot keep "${name}" up: it ended ${formatDuration(exit.livedMs)} after its start: ${exit.reason}`,
      hint: `it is tried again; see what happens: upkeep show ${name}`,
      lines: exit.lastLines,
    };
  }
  return undefined;
}
