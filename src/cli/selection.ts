/** `<service...> | all`, the operands of the commands that work on several services. */
import type { ServiceSelection } from '../protocol/index.js';
import { usageError } from './arguments.js';

export function parseSelection(name: string, operands: readonly string[]): ServiceSelection {
  if (operands.length === 0) throw usageError(name, 'it needs the name of a service, or "all"');
  if (!operands.includes('all')) return [...new Set(operands)];
  if (operands.length > 1) throw usageError(name, '"all" stands alone');
  return 'all';
}
