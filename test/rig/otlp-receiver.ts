/**
 * Takes metrics by OTLP/HTTP in JSON, and refuses with its reason what is not as
 * https://github.com/open-telemetry/opentelemetry-proto (metrics/v1/metrics.proto) and its JSON mapping say.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface DataPoint {
  readonly attributes: readonly { key: string; value: { stringValue: string } }[];
  readonly startTimeUnixNano?: string;
  readonly timeUnixNano: string;
  readonly asInt?: string;
  readonly asDouble?: number;
  readonly count?: string;
  readonly sum?: number;
  readonly bucketCounts?: readonly string[];
  readonly explicitBounds?: readonly number[];
}

export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly gauge?: { readonly dataPoints: readonly DataPoint[] };
  readonly sum?: { readonly dataPoints: readonly DataPoint[] };
  readonly histogram?: { readonly dataPoints: readonly DataPoint[] };
}

/** A message is a map of its fields; `[x]` is a repeated one. */
type Shape = ((value: unknown) => boolean) | readonly [Shape] | { readonly [field: string]: Shape };

const text: Shape = (value) => typeof value === 'string';
const double: Shape = (value) => typeof value === 'number';
const int64: Shape = (value) => typeof value === 'string' && /^-?\d{1,20}$/.test(value);
const fixed64: Shape = (value) => typeof value === 'string' && /^\d{1,20}$/.test(value);
const attributes: Shape = [{ key: text, value: { stringValue: text } }];
const times = { startTimeUnixNano: fixed64, timeUnixNano: fixed64 };
const numberPoints: Shape = [{ attributes, ...times, asInt: int64, asDouble: double }];
const histogramPoints: Shape = [
  { attributes, ...times, count: fixed64, sum: double, bucketCounts: [fixed64], explicitBounds: [double] },
];
/** DELTA, CUMULATIVE. */
const temporality: Shape = (value) => value === 1 || value === 2;
const metric: Shape = {
  ...{ name: text, description: text, unit: text },
  gauge: { dataPoints: numberPoints },
  sum: {
    dataPoints: numberPoints,
    aggregationTemporality: temporality,
    isMonotonic: (value) => value === true,
  },
  histogram: { dataPoints: histogramPoints, aggregationTemporality: temporality },
};
const REQUEST: Shape = {
  resourceMetrics: [
    { resource: { attributes }, scopeMetrics: [{ scope: { name: text, version: text }, metrics: [metric] }] },
  ],
};

/** Throws where it is no ExportMetricsServiceRequest; answers its metrics by name. */
export function readMetrics(body: unknown): ReadonlyMap<string, Metric> {
  assertShape(body, REQUEST, 'request');
  const { resourceMetrics } = body as { resourceMetrics: { scopeMetrics: { metrics: Metric[] }[] }[] };
  const all = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
  for (const each of all) assertMetric(each);
  assert.equal(new Set(all.map(({ name }) => name)).size, all.length, 'a name stands for one metric');
  return new Map(all.map((each) => [each.name, each]));
}

function assertShape(value: unknown, shape: Shape, place: string): void {
  if (typeof shape === 'function') return assert.ok(shape(value), `${place} is ${JSON.stringify(value)}`);
  if (Array.isArray(shape)) {
    assert.ok(Array.isArray(value), `${place} is no list`);
    for (const [index, each] of value.entries())
      assertShape(each, (shape as [Shape])[0], `${place}[${index}]`);
    return;
  }
  assert.ok(typeof value === 'object' && value !== null, `${place} is no message`);
  for (const [field, inner] of Object.entries(value)) {
    const known = (shape as Record<string, Shape>)[field];
    assert.ok(known, `${place} has no field ${field}`);
    assertShape(inner, known, `${place}.${field}`);
  }
}

function assertMetric({ name, gauge, sum, histogram }: Metric): void {
  const kinds = [gauge, sum, histogram].filter((kind) => kind !== undefined);
  assert.equal(kinds.length, 1, `${name} is of one kind`);
  const { dataPoints } = kinds[0]!;
  assert.ok(name !== '' && dataPoints.length > 0);
  for (const point of dataPoints) {
    const { asInt, asDouble, startTimeUnixNano: start, timeUnixNano: time } = point;
    if (!gauge)
      assert.ok(BigInt(start!) > 0n && BigInt(start!) <= BigInt(time), `${name} counts from before now`);
    if (histogram) assertHistogram(name, point);
    else
      assert.equal(
        [asInt, asDouble].filter((value) => value !== undefined).length,
        1,
        `${name} has one value`,
      );
  }
}

function assertHistogram(name: string, { count, bucketCounts, explicitBounds }: DataPoint): void {
  assert.equal(bucketCounts!.length, explicitBounds!.length + 1, `${name} has a bucket more than bounds`);
  assert.equal(
    bucketCounts!.reduce((sum, each) => sum + BigInt(each), 0n),
    BigInt(count!),
  );
  assert.deepEqual(
    [...explicitBounds!].sort((a, b) => a - b),
    explicitBounds,
  );
}

export interface Export {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly metrics: ReadonlyMap<string, Metric>;
}

export class OtlpReceiver implements AsyncDisposable {
  readonly taken: Export[] = [];
  /** Why it did not take what it could not read. */
  readonly complaints: string[] = [];
  /** Also of what it did not take. */
  readonly bodies: string[] = [];
  /** What it answers instead of taking. */
  answer: { status: number; headers?: Record<string, string> } | 'nothing' | undefined;
  readonly #server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      this.bodies.push(body);
      if (this.answer === 'nothing') return;
      if (this.answer) return void response.writeHead(this.answer.status, this.answer.headers).end();
      const failure = this.#take(request.url!, request.headers, body);
      if (failure !== undefined) this.complaints.push(failure);
      response.writeHead(failure === undefined ? 200 : 400, { 'content-type': 'application/json' }).end('{}');
    });
  });

  async open(port = 0): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get tries(): number {
    return this.bodies.length;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Refuses connections from now on. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Values of a metric in the last export, by service. */
  last(name: string): ReadonlyMap<string, DataPoint> {
    const { gauge, sum, histogram } = this.taken.at(-1)?.metrics.get(name) ?? {};
    const points = (gauge ?? sum ?? histogram)?.dataPoints ?? [];
    return new Map(points.map((point) => [point.attributes[0]!.value.stringValue, point]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.close();
  }

  #take(path: string, headers: IncomingHttpHeaders, body: string): string | undefined {
    try {
      assert.equal(headers['content-type'], 'application/json');
      this.taken.push({ path, headers, metrics: readMetrics(JSON.parse(body)) });
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }
}
