/**
 * A managed app that does what the test says. test/fixtures/apps/puppet.js connects to a socket of the test, says who
 * it is, and from then on takes one command a line.
 */
import type { Socket } from 'node:net';

/** What a puppet says of itself when it connects. */
export interface PuppetIdentity {
  readonly pid: number;
  readonly service: string;
  readonly instance: number;
  readonly attempt: number;
  readonly operation: string | null;
  /** Of the shell command PUPPET_FIRST. */
  readonly first: ExecResult | null;
}

export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ForkOptions {
  /** A session of its own, and a parent that has ended. @default false */
  readonly isDaemon?: boolean;
  /** @default false */
  readonly ignoresTerm?: boolean;
}

export class Puppet {
  readonly identity: PuppetIdentity;
  readonly #socket: Socket;
  readonly #answers = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  #lastId = 0;
  /** Resolves when the process has ended. */
  readonly gone: Promise<unknown>;

  constructor(identity: PuppetIdentity, socket: Socket) {
    this.identity = identity;
    this.#socket = socket;
    // An order that nobody read any more is an 'error' before the 'close'.
    this.gone = new Promise((resolve) => socket.once('close', resolve)).then(() => {
      for (const { reject } of this.#answers.values())
        reject(new Error(`${this.name} ended before it answered`));
    });
  }

  get name(): string {
    const { service, instance, attempt } = this.identity;
    return `${service}.${instance} attempt ${attempt}`;
  }

  get pid(): number {
    return this.identity.pid;
  }

  get isConnected(): boolean {
    return !this.#socket.destroyed;
  }

  print(text: string, stream: 'out' | 'err' = 'out'): Promise<void> {
    return this.#ask('print', { text: `${text}\n`, stream });
  }

  async exit(code: number): Promise<void> {
    this.#say('exit', { code });
    await this.gone;
  }

  /** Ends itself by a signal. */
  async crash(signal: NodeJS.Signals): Promise<void> {
    this.#say('crash', { signal });
    await this.gone;
  }

  /** An exception that nobody catches. */
  async throw(): Promise<void> {
    this.#say('throw', {});
    await this.gone;
  }

  ignore(signal: NodeJS.Signals): Promise<void> {
    return this.#ask('ignore', { signal });
  }

  /** On the signal it prints the text and exits with the code. */
  exitOn(signal: NodeJS.Signals, code: number, text = `got ${signal}`): Promise<void> {
    return this.#ask('exitOn', { signal, code, text: `${text}\n` });
  }

  /** On the message it prints the text and exits with the code. */
  exitOnMessage(message: string, code: number, text: string): Promise<void> {
    return this.#ask('exitOnMessage', { message, code, text: `${text}\n` });
  }

  /** By process.send(); answers null where there is none. */
  send(message: unknown): Promise<boolean | null> {
    return this.#ask('send', { message });
  }

  /**
   * Serves HTTP, its pid as the body; 0: any free port; host null: none is said. Answers the port. A request of /slow
   * is not answered before `finish`.
   */
  listen(port: number, host: string | null = '127.0.0.1'): Promise<number> {
    return this.#ask('listen', { port, host });
  }

  /** Answers what /slow has asked so far. */
  finish(): Promise<void> {
    return this.#ask('finish', {});
  }

  /** With which status it serves from now on; 0: it answers nothing. @default 200 */
  serve(status: number): Promise<void> {
    return this.#ask('serve', { status });
  }

  /** How many requests it has answered. */
  hits(): Promise<number> {
    return this.#ask('hits', {});
  }

  allocate(bytes: number): Promise<void> {
    return this.#ask('allocate', { bytes });
  }

  /** Starts a process that sleeps for ever, and answers its pid. */
  fork(options: ForkOptions = {}): Promise<number> {
    return this.#ask('fork', options);
  }

  exec(command: string): Promise<ExecResult> {
    return this.#ask('exec', { command });
  }

  env(): Promise<Record<string, string>> {
    return this.#ask('env', {});
  }

  /** Called by the stage. */
  take({ id, value, error }: { id: number; value?: unknown; error?: string }): void {
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (error === undefined) answer?.resolve(value);
    else answer?.reject(new Error(`${this.name}: ${error}`));
  }

  #ask<T>(order: string, details: object): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!this.isConnected)
        return reject(new Error(`${this.name} has ended before it was asked to ${order}`));
      this.#answers.set(++this.#lastId, { resolve: resolve as (value: unknown) => void, reject });
      this.#send(order, details);
    });
  }

  /** What ends the puppet is not answered. */
  #say(order: string, details: object): void {
    this.#lastId++;
    this.#send(order, details);
  }

  #send(order: string, details: object): void {
    this.#socket.write(`${JSON.stringify({ id: this.#lastId, order, ...details })}\n`);
  }
}
