/** Words the state of instances and services as the status that people see. */
import type { InstanceStatus, ServiceStatus } from '../protocol/index.js';
import { unreachable } from '../util/index.js';
import type { InstanceState } from './instance.js';

export function instanceStatus(state: InstanceState): InstanceStatus {
  switch (state.id) {
    case 'stopped':
    case 'completed':
    case 'starting':
    case 'running':
    case 'stopping':
      return state.id;
    case 'ending':
      return 'stopping';
    case 'waiting':
      return state.isCrashLoop ? 'crashed' : 'waiting';
    default:
      return unreachable(state);
  }
}

/** The status that all instances share; otherwise the one that is on its way; otherwise `degraded`. */
export function serviceStatus(instances: readonly InstanceStatus[]): ServiceStatus {
  const [head, ...rest] = instances;
  if (head === undefined) return 'stopped';
  if (rest.every((status) => status === head)) return head;
  for (const transient of ['stopping', 'starting'] as const) {
    if (instances.every((status) => status === transient || status === 'running')) return transient;
  }
  return 'degraded';
}
