/**
 * Metrics in the JSON of OTLP: the message ExportMetricsServiceRequest of
 * https://github.com/open-telemetry/opentelemetry-proto, with lowerCamelCase names, 64-bit integers as text and enums as numbers. Pure.
 */
import { DURATION, FAMILIES, octaves, type Family } from '../families.js';
import type { Counted } from './start-times.js';

/** AGGREGATION_TEMPORALITY_CUMULATIVE. */
const CUMULATIVE = 2;

export interface Resource {
  readonly version: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** `nowMs`: wall clock, milliseconds. */
export function encodeMetrics(
  services: readonly Counted[],
  { version, attributes }: Resource,
  nowMs: number,
): object {
  const metrics = [
    ...FAMILIES.map((family) => metricOf(family, services, nowMs)),
    durations(services, nowMs),
  ];
  const scope = { name: 'upkeep', version };
  const scopeMetrics = [{ scope, metrics: metrics.flatMap((metric) => metric ?? []) }];
  return { resourceMetrics: [{ resource: { attributes: attributesOf(attributes) }, scopeMetrics }] };
}

function metricOf(
  { name, type, help, value }: Family,
  services: readonly Counted[],
  nowMs: number,
): object | undefined {
  const dataPoints = services.flatMap((counted) => {
    const its = value(counted);
    if (its === undefined) return [];
    const start = type === 'counter' ? { startTimeUnixNano: nanoseconds(counted.sinceMs) } : {};
    const number = type === 'counter' ? { asInt: String(its) } : { asDouble: its };
    return [{ attributes: labelOf(counted), ...start, timeUnixNano: nanoseconds(nowMs), ...number }];
  });
  if (dataPoints.length === 0) return undefined;
  const head = { name, description: help, unit: unitOf(name) };
  if (type === 'gauge') return { ...head, gauge: { dataPoints } };
  return { ...head, sum: { dataPoints, aggregationTemporality: CUMULATIVE, isMonotonic: true } };
}

function durations(services: readonly Counted[], nowMs: number): object | undefined {
  const asked = services.filter(({ total }) => total.requests > 0);
  if (asked.length === 0) return undefined;
  const dataPoints = asked.map((counted) => {
    const { bounds, counts } = octaves(counted.total.latency);
    return {
      attributes: labelOf(counted),
      startTimeUnixNano: nanoseconds(counted.sinceMs),
      timeUnixNano: nanoseconds(nowMs),
      count: String(counts.reduce((sum, count) => sum + count, 0)),
      sum: counted.total.durationMs / 1000,
      bucketCounts: counts.map(String),
      explicitBounds: bounds,
    };
  });
  const { name, help } = DURATION;
  const histogram = { dataPoints, aggregationTemporality: CUMULATIVE };
  return { name, description: help, unit: unitOf(name), histogram };
}

/** By https://ucum.org. */
function unitOf(name: string): string {
  if (name.endsWith('_bytes')) return 'By';
  return name.endsWith('_seconds') ? 's' : '1';
}

function labelOf({ view }: Counted): object[] {
  return attributesOf({ service: view.name });
}

function attributesOf(values: Readonly<Record<string, string>>): object[] {
  return Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}

function nanoseconds(ms: number): string {
  return `${Math.round(ms)}000000`;
}
