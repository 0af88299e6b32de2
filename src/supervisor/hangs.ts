/** What is known of an instance whose event loop does not answer: who, since when, what it was doing. */
import type { EventLoopSpec, Evidence, HealthAction } from '../protocol/index.js';
import { formatDuration } from '../util/index.js';
import type { Hang } from './event-loop/watch.js';
import type { Run } from './run.js';

export interface HangNews {
  readonly isHealthy: boolean;
  readonly detail: string;
  readonly action: HealthAction;
  /** How long ago that began; absent: now. */
  readonly sinceMs?: number;
}

/** Of one attempt. */
export class Hangs {
  readonly #run: Run;
  readonly #spec: EventLoopSpec | null;
  readonly #onNews: (news: HangNews) => void;
  readonly #pids = new Set<number>();
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

  async #onHang({ pid, how }: Hang): Promise<void> {
    const noticedAt = performance.now();
    const { evidence, isDebugged } = await this.#run.takeEvidence(pid);
    // It may have come back while its stack was taken.
    if (!this.#spec || !this.#run.isHanging(pid)) return;
    this.#pids.add(pid);
    this.evidence = evidence;
    const silent = `no answer of the event loop for ${formatDuration(this.#spec.limitMs)}`;
    const where = evidence.frames.length > 0 || how === 'blocked' ? evidence.summary : 'it is busy';
    const debugged = isDebugged ? ', and somebody debugs it' : '';
    const isServer = this.#run.listening.some((each) => each.pid === pid);
    const action = isServer && !isDebugged ? this.#spec.action : 'none';
    const sinceMs = this.#spec.limitMs + performance.now() - noticedAt;
    this.#onNews({ isHealthy: false, detail: `${silent}: pid ${pid} ${where}${debugged}`, action, sinceMs });
  }

  #onBack(pid: number): void {
    if (!this.#pids.delete(pid) || this.areThere) return;
    this.evidence = undefined;
    this.#onNews({ isHealthy: true, detail: `the event loop of pid ${pid} answers again`, action: 'none' });
  }
}
