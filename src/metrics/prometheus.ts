/** What Prometheus scrapes: https://prometheus.io/docs/instrumenting/exposition_formats/. Pure. */
import { DURATION, FAMILIES, octaves, type Scraped } from './families.js';

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

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

function durations(services: readonly Scraped[]): string {
  const { name, help } = DURATION;
  const lines = services.flatMap(({ view, total: { latency, requests, durationMs } }) => {
    if (requests === 0) return [];
    const { bounds, counts } = octaves(latency);
    let sum = 0;
    const buckets = counts.map(
      (count, index) => `${name}_bucket${labels(view.name, bounds[index] ?? '+Inf')} ${(sum += count)}`,
    );
    return [
      ...buckets,
      `${name}_sum${labels(view.name)} ${durationMs / 1000}`,
      `${name}_count${labels(view.name)} ${sum}`,
    ];
  });
  if (lines.length === 0) return '';
  return `${header(name, 'histogram', help)}${lines.join('\n')}\n`;
}

function header(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function labels(service: string, le?: number | string): string {
  const escaped = service.replace(/[\\"]/g, String.raw`\$&`).replace(/\n/g, String.raw`\n`);
  return `{service="${escaped}"${le === undefined ? '' : `,le="${le}"`}}`;
}
