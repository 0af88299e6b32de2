/**
 * What the preload in an attempt's Node processes says (src/preload/channel.ts), and what it is asked
 * (src/preload/control.ts). Programs without it say nothing and have no connections that anybody could ask about.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type {
  ControlAnswer,
  ControlRequest,
  DrainMode,
  ListeningHow,
  ProcessMetrics,
} from '../protocol/index.js';
import { runFiles } from '../system/index.js';
import { Witnesses } from '../forensics/index.js';
import { Conversation } from './conversation.js';
import { Crashes } from './crash.js';
import type { Speaker } from './event-loop/watch.js';
import { metricsIn, MetricsLine, type Counters } from './metrics-line.js';
import { Speakers } from './speakers.js';

const HOW: readonly ListeningHow[] = ['held', 'own', 'free', 'shared'];

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
  /** `at`: wall clock, milliseconds since the epoch. */
  onListening(listening: Listening, at: number): void;
  /** `process.send('ready')`. */
  onReadyMessage(): void;
  /** One more process can be asked. */
  onControl(): void;
  /** A process of Node has begun, or found its port held for one that is gone. */
  onProcess(): void;
  /** A process has seen a child of its own end. */
  onChildEnd(): void;
}

export interface DrainWish {
  readonly mode: DrainMode;
  readonly deadlineMs: number;
  /** It was found failing: if it does not answer, it hangs. */
  readonly isFailing: boolean;
}

/** A process on a busy machine takes its time to answer. */
const PATIENT_ACK_MS = 10_000;
/** One that fails may hang, and is waited for no longer than this. */
const ACK_MS = 1000;
/**
 * Keep-alive connections that were silent for this long since the drain began are closed. A client may be writing to one
 * in this very moment, so the longer the better: after 5 s Node closes them anyway, and clients know.
 */
const IDLE_MS: Readonly<Record<DrainMode, number>> = { reload: 5000, restart: 2000, stop: 500 };
/** Of the whole deadline; the rest is for what they ask meanwhile, and for who is late. */
const IDLE_SHARE = 0.6;
/** A process that does not say within this time what it counts hangs. */
const COUNTS_MS = 1000;
/** How much later than its own deadline an answer may come. */
const LATE_MS = 500;

export class Channel {
  readonly #folder: string;
  readonly #observer: ChannelObserver;
  readonly #speakers: Speakers;
  readonly #talks = new Set<Conversation>();
  /** By process. */
  readonly #lines = new Map<number, MetricsLine>();
  readonly crashes = new Crashes();
  readonly witnesses = new Witnesses();

  constructor(runDir: string, observer: ChannelObserver) {
    this.#folder = runFiles(runDir).app;
    this.#speakers = new Speakers(this.#folder);
    this.#observer = observer;
  }

  get listening(): readonly Listening[] {
    return this.#speakers.listening;
  }

  /** Words of src/preload/channel.ts; whatever else comes is of a later version, or made up. */
  onSaid(text: string, at: number): void {
    const [word, ...fields] = text.split(' ');
    const pid = Number(fields[0]);
    if (!Number.isInteger(pid)) return;
    if (word === 'control') this.#onControl(pid);
    else if (word === 'ready') this.#observer.onReadyMessage();
    else if (word === 'listening') this.#onListening(pid, fields, at);
    else if (word === 'crash') this.crashes.onCrash(pid, fields.slice(1).join(' '), at);
    else if (word === 'survived') this.crashes.onSurvived(pid);
    else this.witnesses.onSaid(word ?? '', pid, fields.slice(1).join(' '), at);
    if (word === 'hello' || word === 'blocked') this.#observer.onProcess();
    if (word === 'child') this.#observer.onChildEnd();
  }

  /** Resolves when no connection is left, or nobody answers; `onClosed`: new connections are no longer taken. */
  async drain({ mode, deadlineMs, isFailing }: DrainWish, onClosed: () => void): Promise<void> {
    const begunAt = performance.now();
    const wish = (): ControlRequest => {
      const leftMs = Math.max(0, Math.round(deadlineMs - (performance.now() - begunAt)));
      const idleMs = Math.round(Math.min(IDLE_MS[mode], leftMs * IDLE_SHARE));
      return { do: 'drain', mode, deadlineMs: leftMs, idleMs };
    };
    const ackMs = Math.min(isFailing ? ACK_MS : PATIENT_ACK_MS, deadlineMs + LATE_MS);
    const accepting = new Set(this.listening.filter(({ how }) => how !== 'shared').map(({ pid }) => pid));
    const [first, rest] = partition(this.#speakers.controls, (pid) => accepting.has(pid));
    const untilDrained = async (talk: Conversation): Promise<void> => {
      if (await talk.until(isHeard, ackMs)) await talk.until(isDrained, deadlineMs + LATE_MS);
      this.#end(talk);
    };
    // Workers behind a primary come after it: what it has accepted is theirs to answer.
    const primaries = first.map((pid) => this.#ask(pid, wish()));
    await Promise.all(primaries.map((talk) => talk.until(isHeard, ackMs)));
    onClosed();
    const others = rest.map((pid) => this.#ask(pid, wish()));
    await Promise.all([...primaries, ...others].map(untilDrained));
  }

  /** The held sockets are listened on from now on. Rejects where nobody answers. */
  async attach(): Promise<void> {
    const those = (...hows: ListeningHow[]): Set<number> =>
      new Set(this.listening.filter(({ how }) => hows.includes(how)).map(({ pid }) => pid));
    const held = those('held');
    // Workers that accept by themselves (cluster.SCHED_NONE) hold back what the primary has given them.
    const shared = [...those('shared')].filter((pid) => !held.has(pid));
    const wish = { do: 'attach' } as const;
    const done = await Promise.all([this.#tellAll([...held], wish), this.#tellAll(shared, wish)]);
    const isDone = held.size > 0 ? done[0] : shared.length === 0 || done[1];
    if (!isDone) throw new Error('it does not listen when it is to take traffic');
  }

  /** Processes that can be asked. */
  get speakers(): readonly Speaker[] {
    return this.#speakers.controls.map((pid) => ({ pid, path: join(this.#folder, String(pid)) }));
  }

  /** What each process counts; those that have not said it lately are left out. undefined: nobody can be asked. */
  metrics(): Promise<Counters[]> | undefined {
    return this.#speakers.isEmpty ? undefined : this.#readLines();
  }

  /** What each process has counted at this moment; those that do not answer are left out. */
  async counts(): Promise<ProcessMetrics[]> {
    const asked = this.#speakers.controls.map(async (pid) => {
      const talk = this.#ask(pid, { do: 'metrics', isLook: true });
      await talk.until((answer) => metricsIn(answer) !== undefined, COUNTS_MS);
      this.#end(talk);
      return talk.answers.flatMap((answer) => metricsIn(answer) ?? []).slice(0, 1);
    });
    return (await Promise.all(asked)).flat();
  }

  /** false: nobody took it. */
  tell(message: string): Promise<boolean> {
    return this.#tellAll(this.#speakers.controls, { do: 'message', message });
  }

  /** The daemon goes. */
  close(): void {
    for (const talk of [...this.#talks]) this.#end(talk);
    for (const line of this.#lines.values()) line.end();
  }

  /** A unix socket that leads to exactly this attempt's server on the port. */
  privateSocket(port: number): string | undefined {
    const server = this.listening.findLast((each) => each.port === port && each.how !== 'shared');
    const path = server && join(this.#folder, `${server.pid}.${port}`);
    return path !== undefined && existsSync(path) ? path : undefined;
  }

  async #readLines(): Promise<Counters[]> {
    for (const [pid, { isOver }] of this.#lines) if (isOver) this.#lines.delete(pid);
    const asked = this.speakers.map(({ pid, path }) => {
      const line = this.#lines.get(pid) ?? new MetricsLine(path);
      this.#lines.set(pid, line);
      return line.read();
    });
    return (await Promise.all(asked)).filter((counters) => counters !== undefined);
  }

  #onControl(pid: number): void {
    this.#speakers.addControl(pid);
    this.#observer.onControl();
  }

  #onListening(pid: number, fields: readonly string[], at: number): void {
    const [, fd, address = '', port, word] = fields;
    const how = HOW.find((each) => each === word);
    if (how === undefined) return;
    const listening = { pid, fd: Number(fd), address, port: Number(port), how };
    this.#speakers.addListening(listening);
    this.#observer.onListening(listening, at);
  }

  /** Whether anybody did as told. */
  async #tellAll(pids: readonly number[], wish: ControlRequest): Promise<boolean> {
    const talks = pids.map((pid) => this.#ask(pid, wish));
    await Promise.all(talks.map((talk) => talk.until(isAnswered, PATIENT_ACK_MS)));
    for (const talk of talks) this.#end(talk);
    return talks.some(({ answers }) => answers.some(isHeard));
  }

  #ask(pid: number, wish: ControlRequest): Conversation {
    const talk = new Conversation(join(this.#folder, String(pid)), wish);
    this.#talks.add(talk);
    return talk;
  }

  #end(talk: Conversation): void {
    this.#talks.delete(talk);
    talk.end();
  }
}

const isAnswered = (answer: ControlAnswer): boolean => isHeard(answer) || 'error' in answer;
const isHeard = (answer: ControlAnswer): boolean => 'ok' in answer;
const isDrained = (answer: ControlAnswer): boolean => 'drained' in answer;

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}
