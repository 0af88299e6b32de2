/** What is known of an instance whose event loop does not answer: who, since when, what it was doing. */
import type { EventLoopSpec, Evidence, HealthAction } from '../protocol/index.js';
import { within } from '../system/index.js';
import { formatDuration } from '../util/index.js';
import type { Finding } from './event-loop/evidence.js';
import type { Hang } from './event-loop/watch.js';
import type { Run } from './run.js';

export interface HangNews {
  readonly isHealthy: boolean;
  readonly detail: string;
  readonly action: HealthAction;
  /** How long ago that began; absent: now. */
  readonly sinceMs?: number;
}

/** From an exception that nobody catches to the end of its process: an inspector that was open has to be let go first. */
const FALL_MS = 2000;

interface Suspected extends Hang {
  /** Monotonic, milliseconds. */
  readonly noticedAt: number;
}

/** Of one attempt. */
export class Hangs {
  readonly #run: Run;
  readonly #spec: EventLoopSpec | null;
  readonly #onNews: (news: HangNews) => void;
  readonly #pids = new Set<number>();
  /** Of these the evidence was, or is being, taken. */
  readonly #suspected = new Map<number, Suspected>();
  /** What was told last. */
  #detail: string | undefined;
  evidence: Evidence | undefined;

  constructor(run: Run, spec: EventLoopSpec | null, onNews: (news: HangNews) => void) {
    this.#run = run;
    this.#spec = spec;
    this.#onNews = onNews;
    run.watchEventLoop(spec?.limitMs ?? null, {
      onHang: (hang) => void this.#onHang(hang),
      onBack: (pid) => this.#onBack(pid),
    });
  }

  get areThere(): boolean {
    return this.#pids.size > 0;
  }

  /** The look at one of them has ended it: it is told as what it was. Answers what that is, if it was suspected. */
  confirm(evidence: Evidence): string | undefined {
    const hang = this.#suspected.get(evidence.pid);
    if (hang && !this.#pids.has(evidence.pid)) this.#tell(hang, { evidence, isDebugged: false });
    return this.#detail;
  }

  async #onHang(hang: Hang): Promise<void> {
    const suspected = { ...hang, noticedAt: performance.now() };
    this.#suspected.set(hang.pid, suspected);
    const finding = await this.#run.takeEvidence(hang.pid);
    // The look has interrupted it, or it was about to fall: its end tells that, if it comes.
    if (this.#run.hasCrashed(hang.pid)) await within(this.#run.untilAnswered(hang.pid), FALL_MS);
    // It may have come back while its stack was taken.
    if (this.#run.isHanging(hang.pid)) this.#tell(suspected, finding);
  }

  #tell({ pid, how, noticedAt }: Suspected, { evidence, isDebugged }: Finding): void {
    if (!this.#spec) return;
    this.#pids.add(pid);
    this.evidence = evidence;
    const silent = `no answer of the event loop for ${formatDuration(this.#spec.limitMs)}`;
    const where = evidence.frames.length > 0 || how === 'blocked' ? evidence.summary : 'it is busy';
    const detail = `${silent}: pid ${pid} ${where}${isDebugged ? ', and somebody debugs it' : ''}`;
    this.#detail = detail;
    const isServer = this.#run.listening.some((each) => each.pid === pid);
    const action = isServer && !isDebugged ? this.#spec.action : 'none';
    const sinceMs = this.#spec.limitMs + performance.now() - noticedAt;
    this.#onNews({ isHealthy: false, detail, action, sinceMs });
  }

  #onBack(pid: number): void {
    if (!this.#pids.delete(pid) || this.areThere) return;
    this.evidence = undefined;
    this.#onNews({ isHealthy: true, detail: `the event loop of pid ${pid} answers again`, action: 'none' });
  }
}
