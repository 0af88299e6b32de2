/** Remembers which processes of an attempt have listened, and notices that the wrapper of one has killed it and lives on. */
import { findServerKill, type Server, type ServerKill, type Testimony } from '../forensics/index.js';
import { isAlive, readProcess, type ProcessId } from '../system/index.js';

/** What ran below the one that was killed may need a moment to end, too; a wrapper that ends with it tells by its exit. */
const SETTLE_MS = 1000;
/** An application may start servers without an end. */
const MAX_SERVERS = 256;
const MAX_ANCESTORS = 20;

export interface ServerWatchSetup {
  readonly testimony: Testimony;
  /** Of the attempt. */
  readonly shim: () => number | undefined;
  readonly onKilled: (found: ServerKill) => void;
}

interface Known extends Omit<Server, 'isAlive'> {
  readonly id: ProcessId;
}

export class ServerWatch {
  readonly #setup: ServerWatchSetup;
  readonly #servers = new Map<number, Known>();
  #timer: NodeJS.Timeout | undefined;
  #told: ServerKill | undefined;
  #askedAt: number | null = null;
  /** What it was found unhealthy by. */
  blamed: ServerKill | null = null;

  constructor(setup: ServerWatchSetup) {
    this.#setup = setup;
  }

  /** Who cannot be found any more, or is none of the attempt, is nobody that anything could be said of. */
  onListening(pid: number): void {
    const row = readProcess(pid);
    const shim = this.#setup.shim();
    const ancestors = row && shim !== undefined ? ancestorsOf(row.parent, shim) : undefined;
    if (!row || !ancestors || this.#servers.has(pid)) return;
    this.#servers.set(pid, { pid, id: row, since: Date.now(), ancestors });
    if (this.#servers.size > MAX_SERVERS) this.#servers.delete([...this.#servers.keys()][0]!);
  }

  onChildEnd(): void {
    if (this.#servers.size === 0 || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.look();
    }, SETTLE_MS);
  }

  /** upkeep wants the attempt to end. */
  noteAsked(at = Date.now()): void {
    this.#askedAt ??= at;
  }

  /** It was found unhealthy: who is to blame, where nobody serves any more because of it. */
  blame(): ServerKill | null {
    this.look();
    const isServed = this.#look().some((server) => server.isAlive);
    this.blamed = isServed ? null : (this.#told ?? null);
    return this.blamed;
  }

  look(): void {
    if (this.#servers.size === 0) return;
    const found = findServerKill(this.#setup.testimony, this.#look(), this.#askedAt);
    if (!found || found.kill === this.#told?.kill) return;
    this.#told = found;
    this.#setup.onKilled(found);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(): Server[] {
    return [...this.#servers.values()].map(({ id, ...server }) => ({ ...server, isAlive: isAlive(id) }));
  }
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
