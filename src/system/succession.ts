/**
 * One daemon starts the next one beside itself and hands over to it: both ends of the conversation. A message is a line
 * of JSON. What the successor inherits has fixed numbers.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { shimPath } from './shim.js';
import { inheritedSocket } from './unix-socket.js';

const CONTROL_FD = 5;
/** Where the pipe to the launcher is. */
const LAUNCHER_FD = 6;

const MARK = 'UPKEEP_SUCCESSOR';

export interface SuccessorCommand {
  readonly node: string;
  readonly flags: readonly string[];
  readonly script: string;
  /** The descriptors of the lock, of the socket to the guardian, and of the pipe to the launcher. */
  readonly descriptors: readonly [lock: number, guardian: number, launcher: number];
  readonly env: NodeJS.ProcessEnv;
}

/** A message by its name; the value is what belongs to it. */
export type Message = Readonly<Record<string, unknown>>;

/** One end: says messages and waits for them. */
class Conversation {
  readonly #socket: Socket;
  readonly #heard: Message[] = [];
  readonly #listeners = new Set<() => void>();
  #isOver = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    createInterface({ input: socket }).on('line', (line) => {
      this.#heard.push(JSON.parse(line) as Message);
      this.#tell();
    });
    socket.once('close', () => {
      this.#isOver = true;
      this.#tell();
    });
  }

  say(message: Message): void {
    this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  /** What belongs to the message of this name; undefined where the other end is gone. */
  async hear(name: string): Promise<unknown> {
    for (;;) {
      const found = this.#heard.find((message) => name in message);
      if (found) return found[name];
      if (this.#isOver) return undefined;
      await new Promise<void>((resolve) => this.#listeners.add(resolve));
    }
  }

  end(): void {
    this.#socket.destroy();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}

/** How a successor that did not do what it should was ended, or ended by itself. */
export type Silence =
  | { readonly reason: 'timeout' }
  | { readonly reason: 'exited'; readonly code: number | null; readonly signal: string | null };

/** The new daemon, as the old one sees it. */
export class Successor {
  readonly #process: ChildProcess;
  readonly #conversation: Conversation;
  readonly #exit: Promise<Silence>;

  constructor({ node, flags, script, descriptors, env }: SuccessorCommand) {
    // Tells the guardian who it is before it becomes node, see native/guard.c.
    this.#process = spawn(shimPath(), ['heir', '--', node, ...flags, script], {
      cwd: '/',
      detached: true,
      env: { ...env, [MARK]: '1' },
      stdio: ['ignore', 'inherit', 'inherit', descriptors[0], descriptors[1], 'pipe', descriptors[2]],
    });
    this.#exit = exitOf(this.#process);
    this.#conversation = new Conversation((this.#process.stdio as readonly unknown[])[CONTROL_FD] as Socket);
    this.#process.unref();
  }

  say(message: Message): void {
    this.#conversation.say(message);
  }

  /** Rejects with a `SilentError` where it does not come in time, or the successor ends. */
  async hear(name: string, timeoutMs: number): Promise<unknown> {
    const enough = new AbortController();
    const late = delay(timeoutMs, undefined, { signal: enough.signal }).then(
      () => 'late' as const,
      () => undefined,
    );
    const heard = await Promise.race([this.#conversation.hear(name), late]);
    enough.abort();
    if (heard === 'late') throw new SilentError({ reason: 'timeout' });
    if (heard === undefined) throw new SilentError(await this.#exit);
    return heard;
  }

  /** Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exit;
    this.#conversation.end();
  }

  /** It goes on without this process. */
  leave(): void {
    this.#conversation.end();
  }
}

export class SilentError extends Error {
  constructor(readonly silence: Silence) {
    super(silence.reason);
  }
}

async function exitOf(child: ChildProcess): Promise<Silence> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    return { reason: 'exited', code, signal };
  } catch (error) {
    return { reason: 'exited', code: null, signal: (error as Error).message }; // it could not be executed
  }
}

/** The old daemon, as the new one sees it. */
export class Predecessor {
  readonly launcherFd = LAUNCHER_FD;
  readonly #conversation = new Conversation(inheritedSocket(CONTROL_FD));

  /** undefined: this daemon was started in the ordinary way. */
  static find(env: NodeJS.ProcessEnv): Predecessor | undefined {
    if (env[MARK] === undefined) return undefined;
    delete env[MARK];
    return new Predecessor();
  }

  say(message: Message): void {
    this.#conversation.say(message);
  }

  hear(name: string): Promise<unknown> {
    return this.#conversation.hear(name);
  }

  leave(): void {
    this.#conversation.end();
  }
}
