/**
 * The daemon's side of its guardian (native/guard.c), a small process that starts the daemon again when it has died. If
 * the guardian dies first, the daemon starts another one: somebody is left unless both are killed at once.
 */
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { shimPath } from './shim.js';

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

  /** Takes what the guardian has left in the environment: nothing of it is for whom the daemon starts. */
  constructor(env: NodeJS.ProcessEnv, options: GuardianOptions) {
    this.#options = options;
    this.restartReason = env.UPKEEP_RESTARTED;
    this.#pid = env.UPKEEP_GUARDIAN === undefined ? null : Number(env.UPKEEP_GUARDIAN);
    delete env.UPKEEP_RESTARTED;
    delete env.UPKEEP_GUARDIAN;
    if (this.#pid !== null) this.#join(new Socket({ fd: SOCKET_FD }));
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

  #join(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', () => undefined); // EPIPE, ECONNRESET: 'close' follows
    socket.once('close', () => this.#onLost());
    socket.resume();
    socket.unref();
  }

  #onLost(): void {
    this.#socket = undefined;
    if (this.#isLeaving) return;
    if (performance.now() - this.#startedAt > LONG_LIFE_MS) this.#losses = 0;
    const pauseMs = PAUSES_MS[Math.min(this.#losses++, PAUSES_MS.length - 1)]!;
    if (pauseMs === 0) this.#replace();
    else setTimeout(() => this.#replace(), pauseMs).unref();
  }

  #replace(): void {
    if (this.#isLeaving) return;
    this.#startedAt = performance.now();
    const daemon = [process.execPath, ...process.execArgv, process.argv[1]!];
    const child = spawn(
      shimPath(),
      ['guard', this.#options.lock, 'attached', String(process.pid), '--', ...daemon],
      { cwd: '/', detached: true, stdio: ['ignore', 'inherit', 'inherit', LOCK_FD, 'pipe'] },
    );
    child.unref();
    child.once('error', () => this.#onLost());
    child.once('spawn', () => {
      this.#pid = child.pid!;
      this.#join(child.stdio[SOCKET_FD] as Socket);
      this.#options.onReplaced(child.pid!);
    });
  }
}
