/** What Prometheus scrapes: https://prometheus.io/docs/instrumenting/exposition_formats/. Pure. */
import type { Level, ServiceView } from '../protocol/index.js';
import { lowerBound } from './histogram.js';
import type { Sample } from './sample.js';

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface Scraped {
  readonly view: ServiceView;
  readonly level: Level;
  /** The last stretch of ten seconds. */
  readonly sample: Sample | undefined;
  /** Since this daemon began. */
  readonly total: Pick<Sample, 'requests' | 'errors' | 'latency'> & { readonly durationMs: number };
}

interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** undefined: not known. */
  readonly value: (scraped: Scraped) => number | undefined;
}

const FAMILIES: readonly Family[] = [
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

export function prometheusText(services: readonly Scraped[]): string {
  const families = FAMILIES.map(({ name, type, help, value }) => {
    const lines = services.flatMap((scraped) => {
      const its = value(scraped);
      return its === undefined ? [] : [`${name}${labels(scraped.view.name)} ${its}`];
    });
    return lines.length === 0 ? '' : `${header(name, type, help)}${lines.join('\n')}\n`;
  });
  return [...families, durations(services)].join('');
}

/** A bucket for each octave: twice as many would double what is scraped. */
function durations(services: readonly Scraped[]): string {
  const name = 'upkeep_http_request_duration_seconds';
  const lines = services.flatMap(({ view, total: { latency, requests, durationMs } }) => {
    if (requests === 0) return [];
    let sum = 0;
    const buckets: string[] = [];
    for (const [index, count] of latency.entries()) {
      sum += count;
      if (index % 2 === 0 && index < latency.length - 1)
        buckets.push(`${name}_bucket${labels(view.name, lowerBound(index + 1) / 1000)} ${sum}`);
    }
    return [
      ...buckets,
      `${name}_bucket${labels(view.name, '+Inf')} ${sum}`,
      `${name}_sum${labels(view.name)} ${durationMs / 1000}`,
      `${name}_count${labels(view.name)} ${sum}`,
    ];
  });
  if (lines.length === 0) return '';
  return `${header(name, 'histogram', 'How long http servers took to answer')}${lines.join('\n')}\n`;
}

function header(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function labels(service: string, le?: number | string): string {
  const escaped = service.replace(/[\\"]/g, String.raw`\$&`).replace(/\n/g, String.raw`\n`);
  return `{service="${escaped}"${le === undefined ? '' : `,le="${le}"`}}`;
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
