/**
 * What the preload in an attempt's Node processes says (src/preload/channel.ts), and what it is asked
 * (src/preload/control.ts). Programs without it say nothing and have no connections that anybody could ask about.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { connectUnix, runFiles } from '../system/index.js';

/**
 * `held`: on a socket that it inherited. `own`: on one that it opened; `free`: on a port that the kernel chose.
 * `shared`: a worker behind its primary's.
 */
const HOW = ['held', 'own', 'free', 'shared'] as const;
export type ListeningHow = (typeof HOW)[number];

export interface Listening {
  readonly pid: number;
  /** -1: not known. */
  readonly fd: number;
  /** Numeric, or `unix:/path`. */
  readonly address: string;
  readonly port: number;
  readonly how: ListeningHow;
}

export interface ChannelObserver {
  onListening(listening: Listening): void;
  /** `process.send('ready')`. */
  onReadyMessage(): void;
}

/** `reload`: others accept meanwhile. `restart`: its successor comes after it. `stop`: nobody does. */
export type DrainMode = 'stop' | 'reload' | 'restart';

export interface DrainWish {
  readonly mode: DrainMode;
  readonly deadlineMs: number;
}

/** A process whose event loop hangs answers nothing; one on a busy machine takes its time. */
const ACK_MS = 3000;
/**
 * Keep-alive connections that were silent for this long since the drain began are closed. A client may be writing to one
 * in this very moment, so the longer the better: after 5 s Node closes them anyway, and clients know.
 */
const IDLE_MS: Readonly<Record<DrainMode, number>> = { reload: 5000, restart: 2000, stop: 500 };
/** Of the whole deadline; the rest is for what they ask meanwhile. */
const IDLE_SHARE = 0.8;
/** How much later than its own deadline an answer may come. */
const LATE_MS = 500;

type Answer = { readonly ok?: boolean; readonly drained?: boolean; readonly error?: string };

export class Channel {
  readonly #folder: string;
  readonly #observer: ChannelObserver;
  readonly #listening: Listening[] = [];
  readonly #controls = new Set<number>();

  constructor(runDir: string, observer: ChannelObserver) {
    this.#folder = runFiles(runDir).app;
    this.#observer = observer;
  }

  get listening(): readonly Listening[] {
    return this.#listening;
  }

  /** Words of src/preload/channel.ts; whatever else comes is of a later version, or made up. */
  onSaid(text: string): void {
    const [word, ...fields] = text.split(' ');
    const pid = Number(fields[0]);
    if (!Number.isInteger(pid)) return;
    if (word === 'control') this.#controls.add(pid);
    else if (word === 'ready') this.#observer.onReadyMessage();
    else if (word === 'listening') this.#onListening(pid, fields);
  }

  /** Resolves when no connection is left, or nobody answers; `onClosed`: new connections are no longer taken. */
  async drain({ mode, deadlineMs }: DrainWish, onClosed: () => void): Promise<void> {
    const idleMs = Math.min(IDLE_MS[mode], deadlineMs * IDLE_SHARE);
    const wish = { do: 'drain', mode, deadlineMs, idleMs };
    const accepting = new Set(this.#listening.filter(({ how }) => how !== 'shared').map(({ pid }) => pid));
    const [first, rest] = partition([...this.#controls], (pid) => accepting.has(pid));
    // Workers behind a primary come after it: what it has accepted is theirs to answer.
    const primaries = first.map((pid) => this.#converse(pid, wish, deadlineMs + LATE_MS));
    await Promise.all(primaries.map(({ acknowledged }) => acknowledged));
    onClosed();
    const others = rest.map((pid) => this.#converse(pid, wish, deadlineMs + LATE_MS));
    await Promise.all([...primaries, ...others].map(({ ended }) => ended));
  }

  /** The held sockets are listened on from now on. Rejects where nobody answers. */
  async attach(): Promise<void> {
    const held = new Set(this.#listening.filter(({ how }) => how === 'held').map(({ pid }) => pid));
    const asked = [...held].map((pid) => this.#converse(pid, { do: 'attach' }, ACK_MS));
    const answers = await Promise.all(asked.map(({ acknowledged }) => acknowledged));
    if (asked.length > 0 && !answers.some(Boolean))
      throw new Error('it did not answer when it was to take traffic');
  }

  /** false: nobody took it. */
  async tell(message: string): Promise<boolean> {
    const asked = [...this.#controls].map((pid) => this.#converse(pid, { do: 'message', message }, ACK_MS));
    const answers = await Promise.all(asked.map(({ acknowledged }) => acknowledged));
    return answers.some(Boolean);
  }

  /** A unix socket that leads to exactly this attempt's server on the port. */
  privateSocket(port: number): string | undefined {
    const server = this.#listening.findLast((each) => each.port === port && each.how !== 'shared');
    const path = server && join(this.#folder, `${server.pid}.${port}`);
    return path !== undefined && existsSync(path) ? path : undefined;
  }

  #onListening(pid: number, fields: readonly string[]): void {
    const [, fd, address = '', port, word] = fields;
    const how = HOW.find((each) => each === word);
    if (how === undefined) return;
    const listening = { pid, fd: Number(fd), address, port: Number(port), how };
    this.#listening.push(listening);
    this.#observer.onListening(listening);
  }

  /** `acknowledged`: whether it said so in time. `ended`: it said that all is done, or it will say nothing more. */
  #converse(
    pid: number,
    wish: object,
    timeoutMs: number,
  ): { acknowledged: Promise<boolean>; ended: Promise<void> } {
    const socket = connectUnix(join(this.#folder, String(pid)));
    const answers: Answer[] = [];
    let rest = '';
    socket.setEncoding('utf8');
    socket.write(`${JSON.stringify(wish)}\n`);
    const until = (isSo: (answer: Answer) => boolean, limitMs: number): Promise<boolean> =>
      new Promise((resolve) => {
        const timer = setTimeout(() => resolve(false), limitMs).unref();
        const look = (): void => {
          if (answers.some(isSo)) resolve(true);
        };
        socket.on('answer', look);
        socket.once('close', () => {
          clearTimeout(timer);
          resolve(answers.some(isSo));
        });
      });
    const acknowledged = until(({ ok }) => ok === true, Math.min(ACK_MS, timeoutMs));
    const drained = until(({ drained }) => drained === true, timeoutMs);
    socket.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      answers.push(...lines.flatMap(parseAnswer));
      socket.emit('answer');
    });
    socket.on('error', () => undefined); // the process has ended; 'close' follows
    const ended = acknowledged.then((isHeard) => (isHeard ? drained : false)).then(() => undefined);
    void ended.finally(() => socket.destroy());
    return { acknowledged, ended };
  }
}

function parseAnswer(line: string): Answer[] {
  try {
    return [JSON.parse(line) as Answer];
  } catch {
    return []; // not from our preload
  }
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}
