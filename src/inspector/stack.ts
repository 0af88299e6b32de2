/** What a process is doing in this moment: the stack of what runs, and what its event loop waits for. */
import type { InspectorSession, Params } from './session.js';
import { within } from '../system/index.js';

export interface Frame {
  readonly name: string;
  /** A path, or `node:internal/...`; empty: made by eval. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
}

export interface Activity {
  /** Innermost first; empty: nothing ran. */
  readonly frames: readonly Frame[];
  /** What the event loop waits for, by kind; null: it did not say. */
  readonly resources: Readonly<Record<string, number>> | null;
}

const MOST_FRAMES = 30;
const RESOURCES = 'process.getActiveResourcesInfo?.().join()';

/** Lets it go on afterwards. `limitMs` holds for each of its two questions. */
export async function takeActivity(session: InspectorSession, limitMs: number): Promise<Activity> {
  // First: a pause that is wished for would stop this expression.
  const answer = await within(session.ask('Runtime.evaluate', { expression: RESOURCES }), limitMs);
  const frames = await takeFrames(session, limitMs);
  return { frames, resources: countResources(answer) };
}

async function takeFrames(session: InspectorSession, limitMs: number): Promise<Frame[]> {
  const files = new Map<string, string>();
  session.on('Debugger.scriptParsed', ({ scriptId, url }) => files.set(String(scriptId), String(url)));
  const paused = new Promise<Params>((resolve) => session.on('Debugger.paused', resolve));
  await within(session.ask('Debugger.enable'), limitMs);
  session.ask('Debugger.pause').catch(() => undefined); // an idle process answers, and never pauses
  const params = await within(paused, limitMs);
  // Also takes back a pause that has not come.
  await within(session.ask('Debugger.disable'), limitMs);
  const frames = (params?.['callFrames'] ?? []) as readonly CallFrame[];
  return frames.slice(0, MOST_FRAMES).map((frame) => toFrame(frame, files));
}

interface CallFrame {
  readonly functionName: string;
  readonly url?: string;
  readonly location: {
    readonly scriptId: string;
    readonly lineNumber: number;
    readonly columnNumber?: number;
  };
}

function toFrame({ functionName, url, location }: CallFrame, files: ReadonlyMap<string, string>): Frame {
  const file = files.get(location.scriptId) ?? url ?? '';
  return {
    name: functionName,
    file: file.replace(/^file:\/\//, ''),
    line: location.lineNumber + 1,
    column: (location.columnNumber ?? 0) + 1,
  };
}

function countResources(answer: Params | undefined): Activity['resources'] {
  const { value } = (answer?.['result'] ?? {}) as { value?: unknown };
  if (typeof value !== 'string') return null;
  const counts: Record<string, number> = {};
  for (const kind of value.split(',').filter(Boolean)) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
