/** What starts, restarts or reloads a service sets a mark for its errors: those that come with it are new. */
import type { KnownErrors } from '../logs/index.js';
import type { OperationStep, OperationView } from '../protocol/index.js';

const DEPLOYING: ReadonlySet<OperationStep['action']> = new Set([
  'create',
  'start',
  'restart',
  'reload',
  'update',
  'release',
]);

/** When it begins. What upkeep does by itself, for a file that changed or a limit, is no deployment. */
export function setMarks(errors: KnownErrors, { id, kind, requester, steps }: OperationView): void {
  if (requester.command?.startsWith('upkeep daemon')) return;
  const services = steps.filter(({ action }) => DEPLOYING.has(action)).map(({ service }) => service);
  if (services.length > 0) errors.markOperation(services, `${kind}, operation ${id}`);
}
