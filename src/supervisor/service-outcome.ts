/** What the instances of a service show: whether it has started, whether others may depend on it; else why not. */
import {
  UpkeepError,
  type DependencyCondition,
  type ExitView,
  type InstanceStatus,
} from '../protocol/index.js';
import type { Instance } from './instance.js';
import type { Service } from './service.js';

/** Throws where it will not start by itself any more. */
export function hasStarted(service: Service, instance: Instance): boolean {
  const { name } = service;
  if (instance.failedStart) throw startFailure(name, instance.failedStart);
  switch (service.instanceStatus(instance)) {
    case 'running':
    case 'scheduled':
      return true;
    case 'completed':
      if (instance.exit && instance.exit.code !== 0) throw startFailure(name, instance.exit);
      return true;
    case 'crashed':
    case 'waiting':
      throw startFailure(name, instance.exit);
    case 'stopped':
      throw new UpkeepError('superseded', `Cannot start "${name}": it was stopped meanwhile`);
    case 'starting':
    case 'stopping':
      return false;
  }
}

/** Throws where that can no longer come by itself. */
export function isDependable(service: Service, condition: DependencyCondition, dependent: string): boolean {
  const { name, instances, isWanted } = service;
  const fail = (fact: string): never => {
    throw new UpkeepError(
      'dependency-failed',
      `Cannot start "${dependent}": it depends on "${name}", which ${fact}`,
      { hint: `see why: upkeep show ${name}; then start it: upkeep start ${dependent}` },
    );
  };
  const statuses = instances.map((instance) => service.instanceStatus(instance));
  if (condition === 'completed') {
    const bad = instances.find((instance) => instance.status === 'completed' && instance.exit?.code !== 0);
    if (bad) return fail(`ended with ${bad.exit?.reason ?? 'an unknown result'}`);
    if (statuses.every((status) => status === 'stopped')) return fail('is stopped');
    return statuses.every((status) => status === 'completed');
  }
  const failed = instances.find((instance) => instance.failedStart !== undefined);
  if (failed) return fail(`did not start: ${failed.failedStart!.reason}`);
  if (!isWanted) return fail('is stopped');
  if (statuses.includes('crashed')) return fail('is crashed');
  if (condition === 'started')
    return instances.every((instance, index) => instance.process || isSettled(statuses[index]!));
  const areReady = statuses.every(isSettled);
  return areReady && (condition === 'ready' || instances.every((instance) => instance.isHealthy === true));
}

/** It is as up as it gets: ready, or not meant to live at this moment. */
function isSettled(status: InstanceStatus): boolean {
  return status === 'running' || status === 'scheduled' || status === 'completed';
}

export function startFailure(service: string, exit: ExitView | undefined): UpkeepError {
  const isLate = exit?.askedBy?.includes('not ready within') ?? false;
  const fact = isLate ? exit!.askedBy!.replace('upkeep: ', '') : (exit?.reason ?? 'its end is unknown');
  // A failure to prepare is worded in full already.
  const message = fact.startsWith('Cannot ') ? fact : `Cannot start "${service}": ${fact}`;
  const lines = exit?.lastLines ?? [];
  return new UpkeepError(isLate ? 'not-ready' : 'start-failed', message, {
    hint: startHint(service, exit),
    details: { lines },
  });
}

function startHint(service: string, exit: ExitView | undefined): string {
  if (exit?.code === 0 && exit.leftBehind > 0) {
    return 'it went into the background; start it in the foreground (without --daemon or the like)';
  }
  return exit && exit.lastLines.length > 0
    ? `all of its output: upkeep logs ${service}`
    : `what happens next: upkeep show ${service}`;
}
