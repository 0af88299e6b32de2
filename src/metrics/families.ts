/** What is known of each service outside of it: the same for everybody who asks, or is told. Pure. */
import type { Level, ServiceView } from '../protocol/index.js';
import { lowerBound } from './histogram.js';
import type { Sample } from './sample.js';

export interface Scraped {
  readonly view: ServiceView;
  readonly level: Level;
  /** The last stretch of ten seconds. */
  readonly sample: Sample | undefined;
  /** Since this daemon began. */
  readonly total: Pick<Sample, 'requests' | 'errors' | 'latency'> & { readonly durationMs: number };
}

export interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** undefined: not known. */
  readonly value: (scraped: Scraped) => number | undefined;
}

export const FAMILIES: readonly Family[] = [
  gauge('upkeep_service_up', 'Whether at least one instance serves', ({ level }) =>
    level === 'up' || level === 'degraded' ? 1 : 0,
  ),
  gauge('upkeep_service_expected', 'Whether it should serve', ({ level }) => (level === 'off' ? 0 : 1)),
  gauge('upkeep_instances', 'Instances that there are', ({ view }) => view.instances.length),
  gauge('upkeep_instances_running', 'Instances that run', ({ view }) => running(view)),
  counter(
    'upkeep_restarts_total',
    'Restarts, on request or not, since the service was created',
    ({ view }) => view.restarts,
  ),
  gauge('upkeep_cpu_cores', 'Processor time per second of all processes', ({ view }) =>
    total(view, ({ cpuPercent }) => (cpuPercent === null ? null : cpuPercent / 100)),
  ),
  gauge('upkeep_memory_bytes', 'Resident memory of all processes', ({ view }) =>
    total(view, ({ rssBytes }) => rssBytes),
  ),
  gauge(
    'upkeep_heap_bytes',
    'Used heap of V8 of all processes',
    ({ sample }) => sample?.heapBytes || undefined,
  ),
  gauge(
    'upkeep_event_loop_delay_max_seconds',
    'The latest that an event loop was, in ten seconds',
    ({ sample }) => (sample && !Number.isNaN(sample.loopMaxMs) ? sample.loopMaxMs / 1000 : undefined),
  ),
  gauge(
    'upkeep_probe_duration_mean_seconds',
    'How long health probes took on average, in ten seconds',
    ({ sample }) => (sample && sample.probes.count > 0 ? sample.probes.meanMs / 1000 : undefined),
  ),
  gauge(
    'upkeep_probe_duration_max_seconds',
    'How long the slowest health probe took, in ten seconds',
    ({ sample }) => (sample && sample.probes.count > 0 ? sample.probes.maxMs / 1000 : undefined),
  ),
  counter(
    'upkeep_http_requests_total',
    'Requests that http servers have answered',
    (scraped) => scraped.total.requests,
  ),
  counter(
    'upkeep_http_errors_total',
    'Requests that were answered with 5xx',
    (scraped) => scraped.total.errors,
  ),
];

/** The histogram, beside FAMILIES. */
export const DURATION = {
  name: 'upkeep_http_request_duration_seconds',
  help: 'How long http servers took to answer',
} as const;

/** Of durations, in buckets of an octave each: twice as many would double what is told. Bounds in seconds; the last bucket has none. */
export function octaves(latency: readonly number[]): { bounds: number[]; counts: number[] } {
  const [bounds, counts]: number[][] = [[], []];
  let count = 0;
  for (const [index, its] of latency.entries()) {
    count += its;
    if (index % 2 !== 0 || index === latency.length - 1) continue;
    bounds!.push(lowerBound(index + 1) / 1000);
    counts!.push(count);
    count = 0;
  }
  return { bounds: bounds!, counts: [...counts!, count] };
}

function gauge(name: string, help: string, value: Family['value']): Family {
  return { name, type: 'gauge', help, value };
}

function counter(name: string, help: string, value: Family['value']): Family {
  return { name, type: 'counter', help, value };
}

type Instance = ServiceView['instances'][number];

function running({ instances }: ServiceView): number {
  return instances.filter(({ status }) => status === 'running').length;
}

function total({ instances }: ServiceView, pick: (instance: Instance) => number | null): number | undefined {
  const known = instances.flatMap((instance) => pick(instance) ?? []);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}
