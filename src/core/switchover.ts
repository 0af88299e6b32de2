/**
 * Decides what is decidable of a switchover without doing it: in which order new instances are let in, and which of several
 * attempts of one instance a daemon takes for what, where the one before it was killed in the middle.
 *
 * ```
 *              boot, judged            join                    commit
 *  (nothing) ───────────────▶ new ─────────────▶ joined ────────────────────▶ serving
 *                                                serving ───────────────────▶ old
 * ```
 */
import type { InstanceRole } from '../protocol/index.js';

/** The new instances of one service. */
export interface JoiningSide {
  readonly service: string;
  /** Those that may be let in, in any order. */
  readonly waiting: readonly number[];
  /** How many take traffic already. */
  readonly joined: number;
}

export interface Join {
  readonly service: string;
  readonly instance: number;
}

/**
 * Which new instances are let in next, one after the other: until `count` of each service take traffic, the first of every
 * service before the second of any, services in the given order.
 */
export function nextJoins(sides: readonly JoiningSide[], count: number): Join[] {
  const rounds = sides.map(({ service, waiting, joined }) =>
    waiting
      .toSorted((a, b) => a - b)
      .slice(0, Math.max(0, count - joined))
      .map((instance, place) => ({ service, instance, round: joined + place })),
  );
  return rounds
    .flat()
    .toSorted((a, b) => a.round - b.round)
    .map(({ service, instance }) => ({ service, instance }));
}

/** What the run folder of an attempt that still lives says of it. */
export interface RoleTraces {
  readonly attempt: number;
  /** It was begun to be judged beside another one; `instead`: in the place of another one, by another description. */
  readonly begunAs: 'serving' | 'candidate' | 'instead';
  /** It was the instance of its index at some time. */
  readonly hasServed: boolean;
  /** It was let in beside the one that serves. */
  readonly hasJoined: boolean;
}

/**
 * Roles of the attempts of one instance, in the same order. `leaving`: the attempt that a commit which is on disk lets go,
 * 0 where there was none; undefined: there is no such commit. At most one serves.
 */
export function assignRoles(
  attempts: readonly RoleTraces[],
  leaving: number | undefined,
): readonly InstanceRole[] {
  const found = attempts.map(foundRole);
  const isCommitted = leaving !== undefined;
  const maySee = (role: InstanceRole, { attempt }: RoleTraces): boolean =>
    role === 'serving' ? attempt !== leaving : role === 'joined' && isCommitted;
  const serving = Math.max(
    ...attempts.map((traces, place) => (maySee(found[place]!, traces) ? traces.attempt : -Infinity)),
  );
  return attempts.map(({ attempt }, place) => {
    const role = found[place]!;
    if (role === 'new' || (role === 'joined' && !isCommitted)) return role;
    return attempt === serving ? 'serving' : 'old';
  });
}

function foundRole({ begunAs, hasServed, hasJoined }: RoleTraces): InstanceRole {
  if (begunAs === 'serving' || hasServed) return 'serving';
  return begunAs === 'instead' || hasJoined ? 'joined' : 'new';
}
