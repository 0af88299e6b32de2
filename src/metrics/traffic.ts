/**
 * What a service has answered in a time, to requests and to probes, from its samples on disk. The coarser ones are made when their slot is over, and by a daemon that
 * lives then: where one is missing, the finer ones of its slot stand in for it.
 */
import type { ProbesView, QuantileView, Traffic } from '../protocol/index.js';
import { add, BUCKETS, findQuantile, lowerBound } from './histogram.js';
import { PACES, RingFile, slotOf } from './ring-file.js';
import { merge, mergeProbes, type Sample } from './sample.js';
import { viewProbes } from './view.js';

const MINUTE = 1;
/** Above it nobody knows how long. */
const LAST_BOUND = lowerBound(BUCKETS - 1);
/** Times that are named. */
const MAX_SLOWEST = 5;

export interface Span {
  /** Seconds. */
  readonly from: number;
  readonly to: number;
}

export interface Answers {
  /** null: no request was counted. */
  readonly traffic: Traffic | null;
  /** null: no probe asked. */
  readonly probes: ProbesView | null;
}

/** `path`: of the rings, without their endings; `now`: seconds. */
export function readAnswers(path: string, { from, to }: Span, now: number): Answers {
  const level = PACES.findIndex(({ seconds, slots }) => now - from <= seconds * (slots - 1));
  const pace = level < 0 ? PACES.length - 1 : level;
  const samples = readSlots(path, pace, { from, to });
  return {
    traffic: trafficOf(samples, Math.max(pace, MINUTE)),
    probes: viewProbes(mergeProbes(samples.map(({ probes }) => probes))),
  };
}

/** Whose slots begin in the span; oldest first. */
function readSlots(path: string, level: number, { from, to }: Span): Sample[] {
  const pace = PACES[level]!;
  const own = new RingFile(path, pace).read(from, to);
  if (level === 0) return own;
  const first = slotOf(from + pace.seconds - 1, pace);
  const filled = gapsBetween(own, { from: first, to }, pace.seconds).flatMap((gap) =>
    group(readSlots(path, level - 1, gap), level),
  );
  return [...own, ...filled].sort((a, b) => a.at - b.at);
}

/** Between the samples, which are in order. */
function gapsBetween(samples: readonly Sample[], { from, to }: Span, seconds: number): Span[] {
  const gaps: Span[] = [];
  let at = from;
  for (const sample of samples) {
    if (sample.at > at) gaps.push({ from: at, to: sample.at });
    at = sample.at + seconds;
  }
  return at < to ? [...gaps, { from: at, to }] : gaps;
}

/** One for each slot of the coarser pace. */
function group(samples: readonly Sample[], level: number): Sample[] {
  const slots = new Map<number, Sample[]>();
  for (const sample of samples) {
    const slot = slotOf(sample.at, PACES[level]!);
    slots.set(slot, [...(slots.get(slot) ?? []), sample]);
  }
  return [...slots].flatMap(([slot, its]) => merge(slot, its) ?? []);
}

/** `level`: of the slots that are named. */
export function trafficOf(samples: readonly Sample[], level: number): Traffic | null {
  const sum = (pick: (sample: Sample) => number): number => samples.reduce((all, one) => all + pick(one), 0);
  const requests = sum((sample) => sample.requests);
  if (requests === 0) return null;
  const errors = sum((sample) => sample.errors);
  const latency = samples.reduce((all, sample) => add(all, sample.latency), [] as number[]);
  return {
    requests,
    errors,
    errorShare: errors / requests,
    p50: viewQuantile(latency, 0.5),
    p95: viewQuantile(latency, 0.95),
    p99: viewQuantile(latency, 0.99),
    slotSeconds: PACES[level]!.seconds,
    slowest: slowestOf(group(samples, level)),
  };
}

function slowestOf(slots: readonly Sample[]): Traffic['slowest'] {
  const views = slots.flatMap(({ at, requests, errors, latency }) => {
    const p95 = viewQuantile(latency, 0.95);
    return p95 === null ? [] : [{ at: new Date(at * 1000).toISOString(), requests, errors, p95 }];
  });
  return views.sort((a, b) => b.p95.ms - a.p95.ms || b.requests - a.requests).slice(0, MAX_SLOWEST);
}

/** null: nothing was counted. */
function viewQuantile(latency: readonly number[], share: number): QuantileView | null {
  const found = findQuantile(latency, share);
  if (!found) return null;
  const { value: ms, from: fromMs, to } = found;
  return { ms, fromMs, toMs: fromMs === LAST_BOUND ? null : to };
}
