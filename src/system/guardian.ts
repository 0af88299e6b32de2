/**
 * The daemon's side of its guardian (native/guard.c), a small process that starts the daemon again when it has died. If
 * the guardian dies first, the daemon starts another one: somebody is left unless both are killed at once.
 */
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { shimPath } from './shim.js';
import { descriptorOf, inheritedSocket } from './unix-socket.js';

/** What guardian and daemon pass to each other, see native/guard.h. */
const LOCK_FD = 3;
const SOCKET_FD = 4;

/** Before another one is started; after a long life it begins anew. */
const PAUSES_MS = [0, 1000, 5000, 15_000];
const LONG_LIFE_MS = 10_000;

export interface GuardianOptions {
  /** Path of the lock, which the guardian shares. */
  readonly lock: string;
  readonly onReplaced: (pid: number) => void;
}

export class Guardian {
  /** Why the guardian had to start this daemon again; undefined: it did not. */
  readonly restartReason: string | undefined;
  readonly #options: GuardianOptions;
  #pid: number | null;
  #socket: Socket | undefined;
  #startedAt = performance.now();
  #losses = 0;
  #isLeaving = false;
  /** Another daemon shares it, and it is not decided yet whose guardian it will be. */
  #isShared = false;

  /** Takes what the guardian has left in the environment: nothing of it is for whom the daemon starts. */
  constructor(env: NodeJS.ProcessEnv, options: GuardianOptions) {
    this.#options = options;
    this.restartReason = env.UPKEEP_RESTARTED;
    this.#pid = env.UPKEEP_GUARDIAN === undefined ? null : Number(env.UPKEEP_GUARDIAN);
    delete env.UPKEEP_RESTARTED;
    delete env.UPKEEP_GUARDIAN;
    if (this.#pid !== null) this.#join(inheritedSocket(SOCKET_FD));
  }

  /** null: the daemon was started without one, by an init system for example. */
  get pid(): number | null {
    return this.#pid;
  }

  /** From now on this daemon is to be there. */
  tellUp(): void {
    this.#socket?.write('up\n');
  }

  /** The daemon is asked to end, and so is the guardian. */
  tellBye(): void {
    this.#isLeaving = true;
    this.#socket?.write('bye\n');
  }

  /** For the daemon of another version: descriptors to inherit as LOCK_FD and SOCKET_FD. */
  get descriptors(): readonly [lock: number, socket: number] | undefined {
    return this.#socket && [LOCK_FD, descriptorOf(this.#socket)];
  }

  /** Two daemons have it for a while; whoever keeps it calls `keep`, the other one `leave`. */
  share(): void {
    this.#isShared = true;
  }

  keep(): void {
    this.#isShared = false;
    if (this.#pid !== null && !this.#socket) this.#onLost();
  }

  /** The other one has it. */
  leave(): void {
    this.#isLeaving = true;
    this.#socket?.destroy();
  }

  /** It was another daemon's: from now on it is a program of this version, and starts this version again. */
  adopt(): void {
    this.keep();
    const words = [shimPath(), ...this.#command];
    this.#socket?.write(`become\0${words.map((word) => `${word}\0`).join('')}\n`);
  }

  #join(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', () => undefined); // EPIPE, ECONNRESET: 'close' follows
    socket.once('close', () => this.#onLost());
    socket.resume();
    socket.unref();
  }

  /** Arguments of the shim for a guardian of this very daemon. */
  get #command(): string[] {
    const daemon = [process.execPath, ...process.execArgv, process.argv[1]!];
    return ['guard', this.#options.lock, 'attached', String(process.pid), '--', ...daemon];
  }

  #onLost(): void {
    this.#socket = undefined;
    if (this.#isLeaving || this.#isShared) return;
    if (performance.now() - this.#startedAt > LONG_LIFE_MS) this.#losses = 0;
    const pauseMs = PAUSES_MS[Math.min(this.#losses++, PAUSES_MS.length - 1)]!;
    if (pauseMs === 0) this.#replace();
    else setTimeout(() => this.#replace(), pauseMs).unref();
  }

  #replace(): void {
    if (this.#isLeaving) return;
    this.#startedAt = performance.now();
    const child = spawn(shimPath(), this.#command, {
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', LOCK_FD, 'pipe'],
    });
    child.unref();
    child.once('error', () => this.#onLost());
    child.once('spawn', () => {
      this.#pid = child.pid!;
      this.#join(child.stdio[SOCKET_FD] as Socket);
      this.#options.onReplaced(child.pid!);
    });
  }
}
