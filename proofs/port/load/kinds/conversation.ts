/** What WebSockets and socket.io have in common: numbered texts go out, their echoes come back, and it ends some day. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pause, type ClientContext } from '../client.js';
import type { Exchange, Recorder } from '../recorder.js';
import type { StreamEnd } from '../report.js';

const REOPEN_MS = 20;
/** How long the other side may take to agree to a close. */
const CLOSE_MS = 5000;
const ECHO_LOOK_MS = 10;

/** A connection as a conversation needs it. */
export interface Line {
  send(exchange: Exchange): void;
  /** Asks for a clean end. */
  close(): void;
  destroy(): void;
}

interface Ending {
  readonly isClean: boolean;
  readonly detail: string;
}

interface Manners {
  readonly clients: number;
  readonly everyMs: number;
  readonly lastsMs?: number;
}

export async function runConversations(
  { clients, everyMs, lastsMs = Infinity }: Manners,
  context: ClientContext,
  open: (conversation: Conversation) => Promise<Line | undefined>,
): Promise<void> {
  const run = async (): Promise<void> => {
    while (!context.stopping.aborted) {
      const conversation = new Conversation(context);
      const line = await open(conversation);
      if (line) await conversation.hold(line, everyMs, lastsMs);
      await pause(REOPEN_MS, context.stopping);
    }
  };
  await Promise.all(Array.from({ length: clients }, run));
}

export class Conversation {
  /** The handshake. */
  readonly opening: Exchange;
  readonly #context: ClientContext;
  readonly #unanswered = new Map<string, Exchange>();
  #pid: number | null = null;
  #received = 0;
  #closes: 'own' | 'not' = 'not';
  #problem: string | undefined;
  #line: Line | undefined;
  #ended = false;
  #end: ((end: Omit<StreamEnd, 'client' | 'endedAt'>) => void) | undefined;
  #resolveEnd: () => void = () => undefined;
  readonly #over = new AbortController();

  constructor(context: ClientContext) {
    this.#context = context;
    this.opening = context.recorder.begin();
  }

  get #recorder(): Recorder {
    return this.#context.recorder;
  }

  /** Talks until the line has ended. */
  async hold(line: Line, everyMs: number, lastsMs: number): Promise<void> {
    this.#line = line;
    this.opening.succeed(null);
    this.#end = this.#recorder.openStream();
    const ended = new Promise<void>((resolve) => (this.#resolveEnd = resolve));
    if (this.#ended) this.ended({ isClean: false, detail: 'ended at once' });
    const until = performance.now() + lastsMs;
    const { stopping } = this.#context;
    const stop = (): void => this.#over.abort();
    stopping.addEventListener('abort', stop);
    if (stopping.aborted) stop();
    while (!this.#over.signal.aborted && performance.now() < until) {
      this.#say(line);
      await pause(everyMs * (0.5 + Math.random()), this.#over.signal);
    }
    stopping.removeEventListener('abort', stop);
    await this.#close(line, ended);
  }

  /** The echo of the text with this id. */
  heard(id: string, pid: number): void {
    const exchange = this.#unanswered.get(id);
    if (!exchange) return this.#spoil(`an answer to ${id}, which was not asked or was answered`);
    if (this.#pid !== null && this.#pid !== pid)
      return this.#spoil(`an answer of ${pid} instead of ${this.#pid}`);
    this.#pid = pid;
    this.#received++;
    this.#unanswered.delete(id);
    exchange.succeed(pid);
  }

  /** The line is no more. */
  ended({ isClean, detail }: Ending): void {
    this.#ended = true;
    this.#over.abort();
    const { id, startedAt } = this.opening;
    const unanswered = this.#unanswered.size;
    for (const exchange of this.#unanswered.values()) exchange.withdraw();
    this.#unanswered.clear();
    this.#end?.({
      id,
      startedAt,
      pid: this.#pid,
      by: this.#closes === 'own' && this.#problem === undefined ? 'client' : 'server',
      isClean: isClean && this.#problem === undefined,
      detail: this.#problem ?? detail,
      received: this.#received,
      unanswered,
    });
    this.#resolveEnd();
  }

  #say(line: Line): void {
    const { timeoutMs } = this.#context;
    const exchange = this.#recorder.begin();
    this.#unanswered.set(exchange.id, exchange);
    const late = setTimeout(() => {
      if (!this.#unanswered.delete(exchange.id)) return;
      exchange.fail('hung', `no echo after ${timeoutMs} ms`);
      this.#spoil('an echo did not come');
    }, timeoutMs);
    exchange.onSettled = () => clearTimeout(late);
    line.send(exchange);
  }

  async #close(line: Line, ended: Promise<void>): Promise<void> {
    if (!this.#ended) {
      // Nothing is lost by a close that waits for its last echo.
      const until = performance.now() + CLOSE_MS;
      while (this.#unanswered.size > 0 && !this.#ended && performance.now() < until)
        await sleep(ECHO_LOOK_MS);
      this.#closes = 'own';
      line.close();
    }
    const timer = setTimeout(() => this.#spoil('it does not agree to a close'), CLOSE_MS);
    await ended;
    clearTimeout(timer);
  }

  #spoil(problem: string): void {
    this.#problem ??= problem;
    this.#line?.destroy();
  }
}
