/**
 * Counts what the http servers of this process answer, and how late its event loop is, from the moment that upkeep first asks:
 * until then there is nothing here. Two words are written for each request; no listener, no timer of its own.
 */
import type { ProcessMetrics } from '../protocol/index.js';
import type { Listener } from './listener.js';
import { replaceMethod } from './replace.js';
import { Slowest, type Answered } from './slowest.js';
import { now, setInterval } from './timers.js';

/** Half octaves from 64 µs on; the first is for all below, the last for all above. As in src/metrics/histogram.ts. */
const BUCKETS = 41;
const LOOP_EVERY_MS = 500;
const STARTED = Symbol('upkeep');
const { clz32, max, min } = Math;
const { memoryUsage } = process;

interface Timed {
  [STARTED]?: number;
}

interface ResponseInternals extends Answered {
  readonly socket: Timed | null;
}

interface ResponsePrototype {
  assignSocket(this: ResponseInternals, socket: Timed | null): unknown;
  _finish(this: ResponseInternals): unknown;
}

export class Metrics {
  private readonly latency = emptyCounts();
  private readonly loop = emptyCounts();
  private readonly slowest = new Slowest();
  private requests = 0;
  private errors = 0;
  private durationMs = 0;
  private isCounting = false;

  constructor() {
    let due = now() + LOOP_EVERY_MS;
    const look = () => {
      const at = now();
      count(this.loop, at - due);
      due = at + LOOP_EVERY_MS;
    };
    setInterval(look, LOOP_EVERY_MS).unref();
  }

  read(listeners: readonly Listener[], isLook = false): ProcessMetrics {
    if (!this.isCounting && listeners.some(({ server }) => 'maxHeadersCount' in server)) this.count();
    const { heapUsed } = memoryUsage.call(process);
    const { requests, errors, durationMs, latency, loop } = this;
    const slowest = isLook ? [] : this.slowest.take();
    return { requests, errors, durationMs, latency, loop, heapBytes: heapUsed, slowest };
  }

  /**
   * Every response of HTTP/1 gets its socket when it is its turn, and finishes when the application has ended it. A socket has one at a
   * time and lives longer, so it keeps the time: a further property for each response would cost ten times as much.
   */
  private count(): void {
    this.isCounting = true;
    const { ServerResponse } = require('node:http') as unknown as {
      ServerResponse: { prototype: ResponsePrototype };
    };
    const done = (response: ResponseInternals, startedAt: number) => this.done(response, startedAt);
    replaceMethod(
      ServerResponse.prototype,
      'assignSocket',
      (original) =>
        function (socket) {
          if (socket) socket[STARTED] = now();
          return original.call(this, socket);
        },
    );
    replaceMethod(
      ServerResponse.prototype,
      '_finish',
      (original) =>
        function () {
          const { socket } = this;
          if (socket && socket[STARTED] !== undefined) done(this, socket[STARTED]);
          return original.call(this);
        },
    );
  }

  private done(response: ResponseInternals, startedAt: number): void {
    const ms = now() - startedAt;
    this.requests++;
    this.durationMs += ms;
    if (response.statusCode >= 500) this.errors++;
    count(this.latency, ms);
    if (ms > this.slowest.leastMs) this.slowest.keep(response, ms);
  }
}

function emptyCounts(): number[] {
  const counts: number[] = [];
  for (let index = 0; index < BUCKETS; index++) counts.push(0);
  return counts;
}

function count(counts: number[], ms: number): void {
  const bucket = bucketOf(ms);
  counts[bucket] = (counts[bucket] || 0) + 1;
}

function bucketOf(ms: number): number {
  const us = max(0, ms * 1000);
  if (us < 64) return 0;
  const whole = min(us, 0x7fffffff) | 0;
  const octave = 31 - clz32(whole);
  return min(BUCKETS - 1, 1 + 2 * (octave - 6) + ((whole >> (octave - 1)) & 1));
}
