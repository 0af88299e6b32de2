/** What checks look at, and what they answer. */
import type { PortSpec } from '../../protocol/index.js';
import type { Listening } from '../channel.js';

export interface CheckResult {
  readonly isSuccess: boolean;
  /** What was seen, for a person. */
  readonly detail: string;
}

export interface OutputFollow {
  /** Tells at once what is there. */
  look(): void;
  end(): void;
}

/** What a check may look at. */
export interface CheckTarget {
  readonly ports: readonly PortSpec[];
  readonly cwd: string;
  env(): Readonly<Record<string, string>>;
  /** Pids of the whole tree, at this moment. */
  pids(): number[];
  /** What its preload has reported. */
  listening(): readonly Listening[];
  /** The socket of this port is upkeep's: that it listens says nothing about this instance. */
  isHeld(port: number): boolean;
  /** Instances accept from one socket there: where this one does not listen, whoever answers is another one. */
  isShared(port: number): boolean;
  /** Leads to exactly this instance, also while others share its port. */
  privateSocket(port: number): string | undefined;
  /** Tells each line that it wrote and writes. */
  followOutput(onLine: (line: string) => void): OutputFollow | undefined;
}

const LOCAL = /^(?:localhost|127\..*|\[?::1\]?|0\.0\.0\.0|\[?::\]?)$/;

/** Where others share the port, only this leads to the instance that is meant; `nobody`: it does not listen there. */
export function privatePath(
  host: string,
  port: number,
  target: CheckTarget,
): { readonly path: string | undefined } | 'nobody' {
  const isOwn = LOCAL.test(host) || target.ports.some((each) => each.host === host);
  if (!isOwn) return { path: undefined };
  const path = target.privateSocket(port);
  const listens = target.listening().some((each) => each.port === port);
  return path === undefined && !listens && target.isShared(port) ? 'nobody' : { path };
}

/** `place`: as it was asked for. */
export function wordNobody(place: string, port: number, target: CheckTarget): string {
  return `${place}: the instance does not listen there${wordElsewhere(target, [port])}`;
}

/** `; it listens on 4000`: where else than on these; empty: nowhere. */
export function wordElsewhere(target: CheckTarget, ports: readonly number[]): string {
  const others = target.listening().flatMap(({ port }) => (port > 0 && !ports.includes(port) ? [port] : []));
  return others.length === 0 ? '' : `; it listens on ${[...new Set(others)].join(', ')}`;
}
