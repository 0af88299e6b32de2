/**
 * Counts what the http servers of this process answer, from the moment that the first of them listens: a method that is replaced once
 * requests have come is called more slowly from then on. How late the event loop is, it looks at from the moment that upkeep first asks.
 * Two words are written for each request; no listener, no timer of its own.
 */
import type { ProcessMetrics } from '../protocol/index.js';
import { attempt } from './attempt.js';
import { activeHandles } from './connections.js';
import type { Response, SocketInternals } from './internals.js';
import { replaceMethod } from './replace.js';
import { Slowest, type Answered } from './slowest.js';
import { now, setInterval } from './timers.js';
import { secured } from './tls-link.js';

/** Half octaves from 64 µs on; the first is for all below, the last for all above. As in src/metrics/histogram.ts. */
const BUCKETS = 41;
const LOOP_EVERY_MS = 500;
/** Whoever has not even begun to answer by then may never do so. */
const UNANSWERED_MS = 5000;
const { clz32, max, min } = Math;
const { memoryUsage } = process;
/** When it was its turn: of the response, because sockets would have two shapes by it, with and without, and be slower by a tenth. */
const startedAt = Symbol('upkeep.startedAt');

interface ResponseInternals extends Answered {
  [startedAt]?: number;
}

interface ResponsePrototype {
  assignSocket(this: ResponseInternals, socket: object | null): unknown;
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
  private isLooking = false;

  read(isLook = false): ProcessMetrics {
    if (!this.isLooking) this.lookAtLoop();
    const { heapUsed } = memoryUsage.call(process);
    const { requests, errors, durationMs, latency, loop } = this;
    const slowest = isLook ? [] : this.slowest.take();
    const unanswered = (isLook && attempt(countUnanswered)) || 0;
    return { requests, errors, unanswered, durationMs, latency, loop, heapBytes: heapUsed, slowest };
  }

  /** Every response of HTTP/1 gets its socket when it is its turn, and finishes when the application has ended it. */
  count(): void {
    if (this.isCounting) return;
    this.isCounting = true;
    const { ServerResponse } = require('node:http') as unknown as {
      ServerResponse: { prototype: ResponsePrototype };
    };
    const done = (response: ResponseInternals) => this.done(response);
    replaceMethod(
      ServerResponse.prototype,
      'assignSocket',
      (original) =>
        function (socket) {
          this[startedAt] = now();
          return original.call(this, socket);
        },
    );
    replaceMethod(
      ServerResponse.prototype,
      '_finish',
      (original) =>
        function () {
          done(this);
          return original.call(this);
        },
    );
  }

  private done(response: ResponseInternals): void {
    const at = response[startedAt];
    if (at === undefined) return; // it never had a socket
    const ms = now() - at;
    this.requests++;
    this.durationMs += ms;
    if (response.statusCode >= 500) this.errors++;
    count(this.latency, ms);
    if (ms > this.slowest.leastMs) this.slowest.keep(response, ms);
  }

  private lookAtLoop(): void {
    this.isLooking = true;
    let due = now() + LOOP_EVERY_MS;
    const look = () => {
      const at = now();
      count(this.loop, at - due);
      due = at + LOOP_EVERY_MS;
    };
    setInterval(look, LOOP_EVERY_MS).unref();
  }
}

/** Found when it is asked for, so that no request costs more. What streams has begun. */
function countUnanswered(): number {
  const since = now() - UNANSWERED_MS;
  const isUnanswered = (handle: object) => {
    const response = secured(handle as SocketInternals)._httpMessage as (Response & ResponseInternals) | null;
    return Boolean(response && !response._header && (response[startedAt] ?? Infinity) < since);
  };
  return activeHandles().filter(isUnanswered).length;
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
