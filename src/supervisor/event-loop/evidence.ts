/** Takes down what a process is doing before it is ended: its own words, its stack, what the kernel shows. */
import { summarizeEvidence } from '../../core/index.js';
import { InspectorError, openInspector, takeActivity, type Activity } from '../../inspector/index.js';
import type { Evidence } from '../../protocol/index.js';
import { readActivity, readProcess, within, type ProcessActivity } from '../../system/index.js';
import { ping } from './ping.js';

export interface Suspect {
  readonly pid: number;
  /** Of its control socket; undefined: it has none. */
  readonly path: string | undefined;
  /** SIGUSR1 opens its inspector, and does nothing else. */
  readonly canBeInspected: boolean;
  /** Called right before it gets that signal. */
  readonly onSignal: (seen: ProcessActivity) => void;
}

export interface Finding {
  readonly evidence: Evidence;
  /** Its inspector was open before: somebody may be looking at it just now. */
  readonly isDebugged: boolean;
}

/** For an answer of a process that works. */
const ANSWER_MS = 700;
/** For its inspector to open, and to be asked two things. */
const OPEN_MS = 1200;
const ASK_MS = 500;
const LIMIT_MS = 3000;

/** Within 4 s, whatever the process does. */
export async function takeEvidence(suspect: Suspect, now: () => Date): Promise<Finding> {
  const seen = readActivity(suspect.pid);
  const said = suspect.path === undefined ? null : await ask(suspect.path);
  const { isDebugged, frames, missing, ...inspected } =
    said === false ? await inspect(suspect, seen) : UNASKED;
  const resources = said || inspected.resources;
  const answers = said === null ? null : said !== false;
  const facts = { answers, frames: [...frames], resources, ...seen, missing };
  const summary = summarizeEvidence(facts);
  return { evidence: { at: now().toISOString(), pid: suspect.pid, summary, ...facts }, isDebugged };
}

/** What its event loop waits for; false: it does not answer. */
async function ask(path: string): Promise<Evidence['resources'] | false> {
  const asked = ping(path, { resources: true });
  const answer = await within(asked.answer, ANSWER_MS);
  asked.end();
  return answer ? (answer.resources ?? {}) : false;
}

interface Inspected extends Activity {
  readonly missing: string | null;
  readonly isDebugged: boolean;
}

const UNASKED: Inspected = { frames: [], resources: null, missing: null, isDebugged: false };
const UNSEEN = 'nothing that it runs can be seen: it waits in the kernel';

async function inspect(
  { pid, canBeInspected, onSignal }: Suspect,
  seen: ProcessActivity,
): Promise<Inspected> {
  const row = readProcess(pid);
  if (!row) return { ...UNASKED, missing: 'it has ended' };
  if (!canBeInspected)
    return { ...UNASKED, missing: 'it has a handler of its own for SIGUSR1, or did not say' };
  const work = openInspector(row, { timeoutMs: OPEN_MS, onSignal: () => onSignal(seen) }).then(
    async ({ session, wasOpen, close }): Promise<Inspected> => {
      const activity = await takeActivity(session, ASK_MS);
      await close();
      return { ...activity, missing: activity.frames.length > 0 ? null : UNSEEN, isDebugged: wasOpen };
    },
  );
  const found = await within(
    work.catch((error: unknown) => ({ ...UNASKED, missing: wordError(error) })),
    LIMIT_MS,
  );
  return found ?? { ...UNASKED, missing: `its inspector did not answer within ${LIMIT_MS} ms` };
}

function wordError(error: unknown): string {
  const { message } = error as Error;
  return error instanceof InspectorError ? message : `its inspector: ${message}`;
}
