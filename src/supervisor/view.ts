/** Makes the shapes of the protocol from what lives. */
import type { InstanceView, ServiceView } from '../protocol/index.js';
import type { SupervisorContext } from './context.js';
import type { Instance } from './instance.js';
import type { Sample } from './sampler.js';
import type { Service } from './service.js';

type ViewContext = Pick<SupervisorContext, 'clock' | 'explainer'>;

export function viewService(
  service: Service,
  samples: ReadonlyMap<Instance, Sample>,
  context: ViewContext,
): ServiceView {
  return {
    name: service.name,
    status: service.status,
    restarts: service.restarts.reduce((sum, count) => sum + count, 0),
    ports: service.spec.ports.map(({ port }) => port),
    instances: service.all.map((instance) => viewInstance(service, instance, samples.get(instance), context)),
    ...(service.failure ? { failure: service.failure } : {}),
  };
}

function viewInstance(
  service: Service,
  instance: Instance,
  sample: Sample | undefined,
  { clock, explainer }: ViewContext,
): InstanceView {
  const { startedAt } = instance;
  const next = service.nextStartAt(instance);
  const why = instance.exit && explainer.headline(service.name, instance.index, instance.exit.attempt);
  return {
    index: instance.index,
    role: instance.role,
    pid: instance.process?.pid ?? null,
    status: service.instanceStatus(instance),
    healthy: instance.isHealthy,
    attempt: instance.attempt,
    startedAt: startedAt === undefined ? null : new Date(startedAt).toISOString(),
    uptimeMs: startedAt === undefined ? null : Math.max(0, clock.wall().getTime() - startedAt),
    rssBytes: sample?.rssBytes ?? null,
    cpuPercent: sample?.cpuPercent ?? null,
    ...(next ? { nextStartAt: next.toISOString() } : {}),
    ...(instance.exit ? { exit: instance.exit } : {}),
    ...(why === undefined ? {} : { why }),
  };
}
