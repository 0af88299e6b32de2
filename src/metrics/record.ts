/** What is kept of the life of a service: one JSON object a line, small, because a year of them has to fit. */
import * as v from 'valibot';
import { CAUSES, LEVELS } from '../protocol/index.js';

/** Wall clock, milliseconds: it is kept across restarts of the daemon, and of the machine. */
const t = v.number();
const of = { i: v.number(), a: v.number() };

const ANY = [
  /** From `t` on, until the next one. */
  v.object({ k: v.literal('level'), t, to: v.picklist(LEVELS) }),
  /** Something ended a service, or made it fail, at `t`; it was noticed at `heard`. */
  v.object({
    k: v.literal('fault'),
    t,
    heard: v.number(),
    ...of,
    kind: v.picklist(CAUSES),
    words: v.string(),
  }),
  /** Why an attempt ended, found out later. */
  v.object({ k: v.literal('explained'), t, ...of, words: v.string() }),
  /** An attempt in the place of one that ended. */
  v.object({ k: v.literal('restart'), t, ...of }),
  /** Somebody asked for it, not upkeep itself. */
  v.object({ k: v.literal('operation'), t, id: v.string(), kind: v.string(), by: v.string() }),
] as const;

export const HistoryRecord = v.variant('k', ANY);
export type HistoryRecord = v.InferOutput<typeof HistoryRecord>;
export type Fault = Extract<HistoryRecord, { k: 'fault' }>;
