/**
 * The sockets of one service. They belong to it and not to its processes: the launcher holds them, every attempt
 * inherits them, and a connection that comes while nothing accepts waits for the next attempt.
 */
import { lookup } from 'node:dns/promises';
import { constants } from 'node:os';
import { UpkeepError, type PortSpec, type ServiceSpec } from '../protocol/index.js';
import type { StoredListener } from '../store/index.js';
import {
  isNodeProgram,
  locate,
  SocketError,
  type BoundSocket,
  type Launcher,
  type ProcessId,
} from '../system/index.js';
import type { Listening } from './channel.js';
import { wordHolder } from './port-holder.js';

/** How the program gets its sockets. `learn`: not known yet, the first attempt shows. */
export type Inheritance = 'node' | 'systemd' | 'learn' | 'off';

/** One socket as it is handed to an attempt. */
export interface HeldSocket {
  readonly key: string;
  /** As bound: numeric, or `unix:/path`. */
  readonly host: string;
  readonly port: number;
  /** The address was declared: whatever the application asks for, it gets this one. */
  readonly isAddressDeclared: boolean;
  readonly name: string;
}

interface Wish {
  readonly key: string;
  /** As it was declared or learned; empty: any. */
  readonly host: string;
  readonly port: number;
  readonly isAddressDeclared: boolean;
  readonly name: string;
}

/** What the launcher holds of it, as one daemon tells the next. */
export interface Held extends HeldSocket {
  isListening: boolean;
}

/** What listen() uses where nothing is said; the kernel caps it. */
const BACKLOG = 4096;
/** An application may choose another port at each start; what it does not use any more is tidied away. */
const MOST_LEARNED = 16;
const UNIX = 'unix:';

export class ServiceSockets {
  readonly #service: string;
  readonly #launcher: Launcher;
  readonly #held = new Map<string, Held>();
  readonly #learned: StoredListener[];
  /** An attempt has shown which sockets it opens: copies of it inherit them. */
  isShown: boolean;
  /** Calls of `prepare` come one after the other. */
  #preparing: Promise<unknown> = Promise.resolve();

  /** `held`: by a launcher that was taken over. */
  constructor(
    service: string,
    launcher: Launcher,
    learned: readonly StoredListener[],
    held: readonly Held[] = [],
  ) {
    this.#service = service;
    this.#launcher = launcher;
    this.#learned = [...learned];
    for (const socket of held) this.#held.set(socket.key, { ...socket });
    this.isShown = learned.length > 0;
  }

  /** For the state file: what attempts opened by themselves, and what is therefore held for the next ones. */
  get learned(): readonly StoredListener[] {
    return this.#learned;
  }

  /** For the next daemon, where that one takes the launcher over. */
  get held(): readonly Held[] {
    return [...this.#held.values()];
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  isHeld(port: number): boolean {
    return [...this.#held.values()].some((held) => held.port === port);
  }

  /** Nothing is to be opened or waited for. */
  isReady(spec: ServiceSpec): boolean {
    const listens = inheritance(spec) === 'systemd';
    return this.#wishes(spec).every(({ key }) => {
      const held = this.#held.get(key);
      return held !== undefined && (held.isListening || !listens);
    });
  }

  /** Opens what an attempt of this description inherits. Rejects where a port is not to be had. */
  prepare(spec: ServiceSpec): Promise<void> {
    const prepared = this.#preparing.then(() => this.#openMissing(spec));
    this.#preparing = prepared.catch(() => undefined);
    return prepared;
  }

  /** What an attempt of this description inherits, of that which is held. */
  inherited(spec: ServiceSpec): HeldSocket[] {
    return this.#wishes(spec).flatMap(({ key }) => this.#held.get(key) ?? []);
  }

  /** Resolves when everything that was asked for so far is held, or cannot be. */
  settled(): Promise<unknown> {
    return this.#preparing;
  }

  /** An attempt listens on a socket that it opened itself: from now on it is the service's. Answers whether that is new. */
  learn(listening: Listening, owner: ProcessId): Promise<boolean> {
    const learned = this.#preparing.then(() => this.#learn(listening, owner));
    this.#preparing = learned;
    return learned;
  }

  async #learn(listening: Listening, owner: ProcessId): Promise<boolean> {
    const { address, port, fd } = listening;
    if (fd < 0 || port === 0 || this.#learned.length >= MOST_LEARNED) return false;
    const key = this.#key(address, port);
    if (this.#held.has(key)) return false;
    // What was opened in advance for any address is not what the application wants.
    const guess = [...this.#held.values()].find((held) => held.port === port && !held.isAddressDeclared);
    const { pid, startTicks } = owner;
    const bound = await this.#launcher.socket('take', key, pid, startTicks, fd).catch(() => undefined);
    const isKnown = this.#learned.some((each) => each.host === address && each.port === port);
    if (!isKnown) this.#learned.push({ host: address, port });
    if (!bound) return !isKnown;
    if (guess) this.#forget(guess.key);
    this.isShown = true;
    this.#hold({ key, host: address, port, isAddressDeclared: false, name: String(port) }, bound, true);
    return !isKnown;
  }

  /** Lets go of what an attempt had opened itself, for a process of it that opens it again; it stays known for the next attempt. */
  giveBack({ address, port }: Listening): void {
    const held = this.#held.get(this.#key(address, port));
    if (held && !held.isAddressDeclared) this.#forget(held.key);
  }

  /** Gets back what the shim of an attempt still holds for a launcher that is gone. */
  regain(sockets: readonly HeldSocket[], runDir: string): void {
    this.#preparing = this.#preparing.then(() =>
      Promise.all(sockets.map((socket, index) => this.#regain(socket, index, runDir))),
    );
  }

  async #regain(socket: HeldSocket, index: number, runDir: string): Promise<void> {
    if (this.#held.has(socket.key)) return;
    const borrowed = this.#launcher.socket('borrow', socket.key, runDir, index);
    const bound = await borrowed.catch(() => undefined); // it ends: so do its sockets
    if (bound) this.#hold(socket, bound, true);
  }

  /** The launcher ended, and what it held with it. */
  onLauncherLost(): void {
    this.#held.clear();
  }

  /** Refuses connections until an attempt listens again: who balances load has to notice. */
  refuse(): void {
    for (const held of this.#held.values()) {
      held.isListening = false;
      this.#tell('unlisten', held.key);
    }
  }

  /** An attempt listens. */
  noteListening(): void {
    for (const held of this.#held.values()) held.isListening = true;
  }

  /** Lets go of everything; who still shares a socket is not listening on it any more. */
  close({ isShared }: { readonly isShared: boolean }): void {
    for (const { key } of this.#held.values()) {
      if (isShared) this.#tell('unlisten', key);
      this.#tell('close', key);
    }
    this.#held.clear();
  }

  /** Lets go of what this description does not have any more. */
  prune(spec: ServiceSpec): void {
    const keys = new Set(this.#wishes(spec).map(({ key }) => key));
    for (const { key } of [...this.#held.values()]) if (!keys.has(key)) this.#forget(key);
  }

  /** Lets go of what applications opened once and do not use any more. */
  tidy(listening: readonly Listening[]): void {
    const isUsed = ({ host, port }: HeldSocket): boolean =>
      listening.some((each) => each.port === port && (port > 0 || each.address === host));
    for (const listener of [...this.#learned]) {
      const held = this.#held.get(this.#key(listener.host, listener.port));
      if (!held || isUsed(held)) continue;
      this.#learned.splice(this.#learned.indexOf(listener), 1);
      this.#forget(held.key);
    }
  }

  async #openMissing(spec: ServiceSpec): Promise<void> {
    const listens = inheritance(spec) === 'systemd';
    for (const wish of this.#wishes(spec)) {
      const held = this.#held.get(wish.key);
      if (!held) await this.#open(spec, wish, listens);
      else if (!held.isListening && listens) await this.#launcher.socket('listen', wish.key, BACKLOG);
      if (held && listens) held.isListening = true;
    }
  }

  async #open(spec: ServiceSpec, wish: Wish, listens: boolean): Promise<void> {
    const { key, host, port } = wish;
    const address = host === '' || host.startsWith(UNIX) ? host : await resolveHost(spec, host);
    try {
      const bound = await this.#launcher.socket('open', key, address, port, listens ? BACKLOG : 0);
      this.#hold(wish, bound, listens);
    } catch (error) {
      throw cannotOpen(spec, wish, error as SocketError);
    }
  }

  #hold(socket: Wish, { address, port }: BoundSocket, isListening: boolean): void {
    this.#held.set(socket.key, { ...socket, host: address, port, isListening });
  }

  #forget(key: string): void {
    this.#held.delete(key);
    this.#tell('unlisten', key);
    this.#tell('close', key);
  }

  #tell(verb: 'unlisten' | 'close', key: string): void {
    this.#launcher.socket(verb, key).catch(() => undefined); // with the launcher, the socket is gone too
  }

  /** What the description and experience ask for. */
  #wishes(spec: ServiceSpec): Wish[] {
    const how = inheritance(spec);
    if (how === 'off') return [];
    const declared = how === 'learn' ? [] : spec.ports.map((port) => this.#declared(port));
    const learned = how === 'systemd' ? [] : this.#learned.map((each) => this.#learnedWish(spec, each));
    const isExact = ({ port, host }: Wish): boolean =>
      learned.some((each) => each.port === port && host === '');
    return [
      // Where the application has shown which address it means, that is what is opened.
      ...declared.filter((wish) => !isExact(wish)),
      ...learned.filter((wish) => !declared.some(({ key }) => key === wish.key)),
      ...(how === 'systemd' ? spec.sockets.paths.map((path) => this.#path(path)) : []),
    ];
  }

  #declared({ port, host, name }: PortSpec): Wish {
    return {
      key: this.#key(host ?? '', port),
      host: host ?? '',
      port,
      isAddressDeclared: host !== null,
      name: name ?? String(port),
    };
  }

  #learnedWish(spec: ServiceSpec, { host, port }: StoredListener): Wish {
    const name = spec.ports.find((each) => each.port === port)?.name ?? String(port);
    return { key: this.#key(host, port), host, port, isAddressDeclared: false, name };
  }

  #path(path: string): Wish {
    const host = `${UNIX}${path}`;
    return { key: this.#key(host, 0), host, port: 0, isAddressDeclared: true, name: path };
  }

  /** Without blanks or commas, which separate keys. */
  #key(host: string, port: number): string {
    return `${this.#service}/${encodeURIComponent(host)}:${port}`;
  }
}

/** The first descriptor of what an attempt inherits, as in native/shim.h and sd_listen_fds(3). */
export const FIRST_SOCKET = 3;

/** The same description is asked about many times. */
const inheritances = new WeakMap<ServiceSpec, Inheritance>();

export function inheritance(spec: ServiceSpec): Inheritance {
  const known = inheritances.get(spec);
  if (known !== undefined) return known;
  const found = findInheritance(spec);
  inheritances.set(spec, found);
  return found;
}

function findInheritance(spec: ServiceSpec): Inheritance {
  const { inherit } = spec.sockets;
  if (inherit === 'systemd' || inherit === 'off') return inherit;
  if (!spec.preload) return 'off';
  if (inherit === 'node') return 'node';
  const program = locate(spec.argv[0]!, spec.cwd, spec.env['PATH']?.value);
  return program !== undefined && isNodeProgram(program) ? 'node' : 'learn';
}

async function resolveHost(spec: ServiceSpec, host: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (cause) {
    throw new UpkeepError('start-failed', `Cannot start "${spec.name}": address "${host}" is not known`, {
      hint: 'correct host in its ports',
      cause,
    });
  }
}

function cannotOpen(
  spec: ServiceSpec,
  { host, port }: Wish,
  { stage, errno, message }: SocketError,
): UpkeepError {
  const what = host.startsWith(UNIX) ? `socket ${host.slice(UNIX.length)}` : `port ${port}`;
  const holder = errno === constants.errno.EADDRINUSE && port > 0 ? wordHolder(port) : undefined;
  const where = host === '' || host.startsWith(UNIX) ? '' : ` at ${host}`;
  if (holder !== undefined) {
    return new UpkeepError('start-failed', `Cannot start "${spec.name}": ${what} is in use by ${holder}`, {
      hint: 'stop that process, or set a free port',
    });
  }
  const isForbidden = errno === constants.errno.EACCES;
  return new UpkeepError(
    'start-failed',
    `Cannot start "${spec.name}": ${what}${where} cannot be opened (${message})`,
    {
      hint: isForbidden
        ? 'ports below 1024 are for root: run the daemon as root, or set a higher port'
        : `look at its ports; stage: ${stage}`,
    },
  );
}
