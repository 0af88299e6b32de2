/** Remembers which processes of an attempt have listened, and notices that one was killed while the wrapper in front of it lives on. */
import {
  findServerKill,
  findTracedKill,
  mayBeRestart,
  culpritOf,
  victimOf,
  wasLastOf,
  type BlamedKill,
  type Server,
  type ServerKill,
  type Testimony,
} from '../forensics/index.js';
import {
  isAlive,
  readProcess,
  readTree,
  startedAt,
  type ProcessId,
  type SeenSignal,
} from '../system/index.js';

/** What ran below the one that was killed may need a moment to end, too; a wrapper that ends with it tells by its exit. */
const SETTLE_MS = 1000;
/** Within this who restarts it by itself has begun to. */
const RESTART_MS = 3000;
/** What the beginning of a process is known to. */
const TICKS_MS = 20;
/** An application may start servers without an end. */
const MAX_SERVERS = 256;
const MAX_ANCESTORS = 20;

export interface ServerWatchSetup {
  readonly testimony: Testimony;
  /** Of the attempt. */
  readonly shim: () => number | undefined;
  readonly main: () => number | undefined;
  /** What the kernel has seen. */
  readonly signals: () => readonly SeenSignal[];
  readonly onKilled: (found: ServerKill) => BlamedKill;
  /** Nobody serves any more; null: somebody does again. */
  readonly onServing: (lost: LostServer | null) => void;
}

/** The last one that served was killed, and not by somebody who may have ended a helper of his own. */
export interface LostServer {
  readonly why: string;
  /** Wall clock, milliseconds. */
  readonly at: number;
}

interface Known extends Omit<Server, 'isAlive'> {
  readonly id: ProcessId;
  aliveAt: number;
  isAlive: boolean;
}

export class ServerWatch {
  readonly #setup: ServerWatchSetup;
  readonly #servers = new Map<number, Known>();
  #timer: NodeJS.Timeout | undefined;
  /** The last one. */
  #told: { readonly found: ServerKill; readonly kill: BlamedKill } | undefined;
  #askedAt: number | null = null;
  /** Not told yet, because its wrapper may bring it back. */
  #held: ServerKill | undefined;
  /** Children in whose place the wrapper itself has started others: by pid, and when they ended. */
  readonly #replaced = new Set<string>();
  /** null: somebody serves, or nobody ever did. */
  lost: LostServer | null = null;
  /** What it was found unhealthy by. */
  blamed: BlamedKill | null = null;

  constructor(setup: ServerWatchSetup) {
    this.#setup = setup;
  }

  /** `since`: when it said so. Who cannot be found any more, or is none of the attempt, is nobody that anything could be said of. */
  onListening(pid: number, since: number): void {
    const row = readProcess(pid);
    const shim = this.#setup.shim();
    const ancestors = row && shim !== undefined ? ancestorsOf(row.parent, shim) : undefined;
    if (!row || !ancestors) return;
    // Another one may have had its number.
    if (this.#servers.get(pid)?.id.startTicks === row.startTicks) return;
    if (!this.#servers.has(pid) && this.#servers.size >= MAX_SERVERS) this.#forgetOne();
    this.#servers.set(pid, { pid, id: row, since, ancestors, aliveAt: Date.now(), isAlive: true });
    if (!this.lost) return;
    this.lost = null;
    this.#setup.onServing(null);
  }

  onChildEnd(): void {
    if (this.#servers.size > 0) this.#lookAfter(SETTLE_MS);
  }

  /** upkeep wants the attempt to end. */
  noteAsked(at = Date.now()): void {
    this.#askedAt ??= at;
  }

  /** It was found unhealthy: who is to blame, where nobody has served since. */
  blame(): BlamedKill | null {
    this.look({ isUrgent: true });
    const told = this.#told;
    const servers = [...this.#servers.values()];
    this.blamed = told && wasLastOf(servers, told.found) ? told.kill : null;
    return this.blamed;
  }

  /** `isUrgent`: somebody who brings it back by himself has no more time for it. */
  look({ isUrgent = false } = {}): void {
    const hasLost = this.#lookAtEach();
    const servers = [...this.#servers.values()];
    if (servers.every(({ isAlive }) => isAlive)) return;
    const { testimony, signals, main, shim, onKilled, onServing } = this.#setup;
    const askedAt = this.#askedAt;
    const told = findServerKill(testimony, servers, askedAt);
    const own = [process.pid, process.ppid, shim() ?? process.pid];
    const question = { servers, askedAt, main: main() ?? null, own };
    const found = told ?? (hasLost ? findTracedKill(signals(), question) : undefined) ?? this.#held;
    this.#held = undefined;
    if (!found || (this.#told && isSame(found, this.#told.found))) return;
    if (mayBeRestart(found, servers)) {
      if (this.#isReplaced(found)) return;
      const leftMs = victimOf(found).at + RESTART_MS - Date.now();
      if (!isUrgent && leftMs > 0) {
        this.#held = found;
        return this.#lookAfter(leftMs);
      }
    }
    this.#told = { found, kill: onKilled(found) };
    const isHelper = 'kill' in found && found.kill.reason === 'call';
    if (this.lost || isHelper || !wasLastOf(servers, found)) return;
    this.lost = { why: this.#told.kill.summary, at: victimOf(found).at };
    onServing(this.lost);
  }

  /** Whoever ended it has started something since: it restarts what it runs, as for a file that changed. */
  #isReplaced(found: ServerKill): boolean {
    const { child, at } = victimOf(found);
    const key = `${child} ${at}`;
    if (this.#replaced.has(key)) return true;
    const { pid, at: killedAt } = culpritOf(found);
    const isReplaced =
      [...this.#servers.values()].some(({ since }) => since > killedAt) ||
      readTree(pid).some((row) => startedAt(row) > killedAt - TICKS_MS);
    if (isReplaced) this.#replaced.add(key);
    return isReplaced;
  }

  #lookAfter(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.look();
    }, ms);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Whether one is gone that lived before. What upkeep has started tells by its exit. */
  #lookAtEach(): boolean {
    const main = this.#setup.main();
    let hasLost = false;
    for (const server of this.#servers.values()) {
      if (!server.isAlive || server.pid === main) continue;
      server.isAlive = isAlive(server.id);
      if (server.isAlive) server.aliveAt = Date.now();
      else hasLost = true;
    }
    return hasLost;
  }

  #forgetOne(): void {
    const all = [...this.#servers.values()];
    const { pid } = all.find((server) => !server.isAlive) ?? all[0]!;
    this.#servers.delete(pid);
  }
}

function isSame(one: ServerKill, other: ServerKill): boolean {
  const [a, b] = [victimOf(one), victimOf(other)];
  return a.child === b.child && a.at === b.at;
}

/** Nearest first; undefined: it does not run below the shim. */
function ancestorsOf(parent: number, shim: number): number[] | undefined {
  const ancestors: number[] = [];
  for (let pid = parent; pid !== shim;) {
    const row = readProcess(pid);
    if (!row || row.pid <= 1 || ancestors.length >= MAX_ANCESTORS) return undefined;
    ancestors.push(row.pid);
    pid = row.parent;
  }
  return ancestors;
}
