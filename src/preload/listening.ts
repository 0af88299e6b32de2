/**
 * Maps the listen() of the application to the sockets that its service holds, and knows who listens.
 *
 * Every listen() of Node ends in `_listen2`, "still named like this to avoid breaking code that wraps this method":
 * there the address is resolved already, and a handle that is set is kept. Only the primary of a cluster without
 * round robin goes another way: it calls `net._createServerHandle`.
 */
import { attempt } from './attempt.js';
import { HeldBack } from './held-back.js';
import { createServerHandle, type HeldSocket } from './held-sockets.js';
import type { Handle, ListenArguments, NetInternals, Place, ServerInternals } from './internals.js';
import { withCleanError } from './listen-error.js';
import { Listener, nameOf } from './listener.js';
import { net } from './node.js';
import { replaceMethod } from './replace.js';

/** Who comes while no process accepts has to wait somewhere. Node's own is 511; the kernel caps it (somaxconn). */
const BACKLOG = 4096;
const EADDRINUSE = -98;

export interface ListeningOptions {
  readonly held: readonly HeldSocket[];
  /** Accept nothing before attach(). */
  readonly hold: boolean;
  /** Of the main thread: this one need not wait for it. */
  wasAttached(): boolean;
  /** By another thread of this process: no thread sees what the others have. */
  isTaken(port: number): boolean;
  /** Where upkeep may still hold what a process before has opened. */
  awaitFree(place: Place): void;
  onListening(listener: Listener): void;
}

export class Listening {
  private readonly options: ListeningOptions;
  hasBegun = false;
  private known: Listener[] = [];
  private heldBack: HeldBack[] = [];
  private mayHold: boolean;

  constructor(options: ListeningOptions) {
    this.options = options;
    this.mayHold = options.hold;
    this.wrapListen();
    this.wrapCreateServerHandle();
  }

  /** Those that still listen. */
  get listeners(): readonly Listener[] {
    return (this.known = this.known.filter(({ isOpen }) => isOpen));
  }

  /** Whether all that was held back listens now. */
  attach(): boolean {
    this.mayHold = false;
    const attached = this.heldBack.map((heldBack) => attempt(() => (heldBack.attach(), true)));
    this.heldBack = [];
    return attached.every(Boolean);
  }

  private get isHolding(): boolean {
    return this.mayHold && !this.options.wasAttached();
  }

  private wrapListen(): void {
    const before = (server: ServerInternals, values: ListenArguments) => this.before(server, values);
    const after = (server: ServerInternals, hadHandle: boolean, values: ListenArguments) =>
      this.after(server, hadHandle, values);
    const { prototype } = (net as unknown as NetInternals).Server;
    replaceMethod(
      prototype,
      '_listen2',
      (original) =>
        function (...values) {
          const hadHandle = Boolean(this._handle);
          const mapped = attempt(() => before(this, values)) ?? values;
          withCleanError(() => original.apply(this, mapped));
          attempt(() => after(this, hadHandle, values));
        },
    );
  }

  private wrapCreateServerHandle(): void {
    const map = (place: Place) => this.map(place);
    replaceMethod(
      net as unknown as NetInternals,
      '_createServerHandle',
      (original) =>
        function (...values) {
          const [address, port, , fd] = values;
          const handle = isDescriptor(fd) ? null : attempt(() => map({ address, port }));
          return handle ?? original.apply(net, values);
        },
    );
  }

  /** Answers what to call the original with. */
  private before(server: ServerInternals, values: ListenArguments): ListenArguments {
    const [address, port, type, wanted, fd, flags] = values;
    const given = server._handle;
    if (given) {
      this.holdBack(given);
      return values;
    }
    const handle = isDescriptor(fd) ? this.openGiven(fd) : this.map({ address, port });
    if (!handle && !isDescriptor(fd)) this.options.awaitFree({ address, port });
    if (!handle) return values;
    server._handle = handle;
    this.holdBack(handle);
    const backlog = wanted || BACKLOG;
    if (address || isDescriptor(fd)) return [address, port, type, backlog, fd, flags];
    const { address: any = '::' } = nameOf(handle);
    return [any, port, any === '::' ? 6 : 4, backlog, fd, flags];
  }

  /** The application knows the descriptor by itself; only to hold it back needs anything done. */
  private openGiven(fd: number): Handle | null {
    if (!this.isHolding || !this.options.held.some(({ fds }) => fds.includes(fd))) return null;
    const handle = createServerHandle(null, null, null, fd);
    return typeof handle === 'number' ? null : handle;
  }

  /** The handle of the held socket that is meant. */
  private map(place: Place): Handle | null {
    const socket = this.options.held.find((held) => held.isMeantBy(place));
    if (!socket) return null;
    // What is only bound disturbs nobody, and threads share a descriptor; but the second of two must fail as ever.
    const { address } = place;
    const isTaken =
      socket.isInUseAt(address) || (socket.spec.port > 0 && this.options.isTaken(socket.spec.port));
    return isTaken ? takenHandle() : socket.open(address);
  }

  private holdBack(handle: Handle): void {
    if (this.isHolding && this.heldBehind(handle)) this.heldBack.push(new HeldBack(handle));
  }

  private after(server: ServerInternals, hadHandle: boolean, [, port]: ListenArguments): void {
    const handle = server._handle;
    if (!handle) return;
    const held = this.heldBehind(handle);
    if (!hadHandle) held?.adopt(handle);
    const isShared = hadHandle && isClusterWorker();
    const origin = isShared ? 'shared' : held ? 'held' : port === 0 ? 'free' : 'own';
    const listener = new Listener(server, handle, origin);
    this.known = this.listeners.concat(listener);
    this.hasBegun = true;
    this.options.onListening(listener);
  }

  private heldBehind(handle: Handle): HeldSocket | undefined {
    return this.options.held.find((held) => held.isBehind(handle));
  }
}

function takenHandle(): Handle {
  const nothing = () => undefined;
  return { listen: () => EADDRINUSE, close: nothing, ref: nothing, unref: nothing };
}

function isDescriptor(fd: number | undefined | null): fd is number {
  return typeof fd === 'number' && fd >= 0;
}

/** net has loaded it when anybody listens. */
function isClusterWorker(): boolean {
  return (require('node:cluster') as { isWorker: boolean }).isWorker;
}
