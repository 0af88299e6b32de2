import { constants } from 'node:os';
import type { SignalName } from '../../protocol/index.js';
import { usageError } from '../arguments.js';
import { defineCommand, OPERATION_OPTIONS } from '../command.js';
import { requestOperation } from '../operation.js';

export const command = defineCommand({
  summary: 'Send a signal to the processes of a service',
  usage: 'signal <service> <signal>',
  examples: ['upkeep signal api USR2', 'upkeep signal api 1'],
  options: OPERATION_OPTIONS,
  operands: 'services',
  async run({ values, operands }) {
    const [service, signal, ...others] = operands;
    if (!service || !signal || others.length > 0)
      throw usageError('signal', 'it needs a service and a signal');
    return requestOperation({ kind: 'signal', service, signal: parseSignal(signal) }, values);
  },
});

/** `TERM`, `term`, `SIGTERM` and `15` are one; whether it may be sent is for the daemon to say. */
export function parseSignal(text: string): SignalName {
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  const known = Object.entries(constants.signals).find(
    ([key, number]) => key === name || String(number) === text,
  );
  if (!known) throw usageError('signal', `"${text}" is not a signal`);
  return known[0] as SignalName;
}
