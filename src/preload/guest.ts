/** What upkeep has in this process, put together. */
import { Channel } from './channel.js';
import { type Inheritance, wrapSpawn } from './children.js';
import { type Answer, type Request, serveControl } from './control.js';
import { Drain } from './drain.js';
import { isWorkerThread, type Setup } from './environment.js';
import { HeldSocket } from './held-sockets.js';
import type { Handle } from './internals.js';
import type { Listener } from './listener.js';
import { Listening } from './listening.js';
import { deliver, hearReady } from './messages.js';
import { listenPrivately } from './private-socket.js';
import { linkIfSecure } from './tls-link.js';

/** NODE_OPTIONS came with 8. */
const KNOWS_NODE_OPTIONS = Number(process.versions.node.split('.')[0]) >= 8;
const { pid } = process;

export class Guest {
  readonly #setup: Setup;
  readonly #channel: Channel;
  readonly #held: readonly HeldSocket[];
  readonly #listening: Listening;
  readonly #private = new Map<number, { readonly door: Handle; readonly listener: Listener }>();
  #control: Handle | null = null;

  static enter(setup: Setup): void {
    const channel = setup.channel && Channel.open(setup.channel);
    if (channel) new Guest(setup, channel).#arrive();
  }

  private constructor(setup: Setup, channel: Channel) {
    this.#setup = setup;
    this.#channel = channel;
    this.#held = setup.sockets.map((spec) => new HeldSocket(spec));
    this.#listening = new Listening({
      held: this.#held,
      hold: setup.hold,
      onListening: (listener) => this.#announce(listener),
    });
  }

  #arrive(): void {
    if (isWorkerThread) return;
    wrapSpawn((isClusterWorker) => this.#inheritance(isClusterWorker));
    this.#channel.say('hello', pid, process.version);
    if (!this.#setup.messages) return;
    this.#openControl();
    hearReady(() => this.#channel.say('ready', pid));
  }

  #announce(listener: Listener): void {
    linkIfSecure(listener.server);
    const { handle, address, port, origin } = listener;
    this.#openControl();
    if (origin !== 'shared') this.#openDoor(listener);
    this.#channel.say('listening', pid, handle.fd ?? -1, address, port, origin);
  }

  #openControl(): void {
    if (this.#control || isWorkerThread) return;
    const path = this.#channel.pathOf(String(pid));
    const onConnection = (client: Handle) => serveControl(client, (...values) => this.#handle(...values));
    this.#control = path === null ? null : listenPrivately(path, onConnection);
    if (this.#control) this.#channel.say('control', pid);
  }

  /** What listened before at the same port is gone, or there would have been an error. */
  #openDoor(listener: Listener): void {
    const { port, handle } = listener;
    const before = this.#private.get(port);
    if (before?.listener.isOpen) return;
    before?.door.close();
    const path = this.#channel.pathOf(`${pid}.${port}`);
    const door =
      path === null
        ? null
        : listenPrivately(path, (client) => {
            if (listener.isOpen && handle.onconnection) handle.onconnection(0, client);
            else client.close();
          });
    if (door) this.#private.set(port, { door, listener });
  }

  #handle(request: Request, answer: Answer): void {
    switch (request.do) {
      case 'drain':
        new Drain(this.#listening.listeners, request, (cut) => answer({ drained: true, cut })).begin();
        return answer({ ok: true });
      case 'attach':
        this.#listening.attach();
        return answer({ ok: true });
      case 'message':
        deliver(request.message);
        return answer({ ok: true });
      default:
        return answer({ error: 'unknown request' });
    }
  }

  /** Who listens is the application: its children are its own. A worker of a cluster is a part of it. */
  #inheritance(isClusterWorker: boolean): Inheritance | null {
    if (this.#listening.hasBegun && !isClusterWorker) return null;
    const { up, folder } = this.#channel;
    if (!up.isIntact || !folder.isIntact) return null;
    const { path, hold, messages } = this.#setup;
    const sockets = this.#held.map(({ spec, fds }) => ({ spec, fds }));
    return {
      fds: sockets.reduce<number[]>((all, { fds }) => all.concat(fds), []).concat(up.fd, folder.fd),
      args: KNOWS_NODE_OPTIONS ? [] : ['-r', path],
      variables(fds, options) {
        let used = 0;
        const renumbered = sockets.map(({ spec, fds: own }) =>
          Object.assign({}, spec, { fds: fds.slice(used, (used += own.length)) }),
        );
        return {
          UPKEEP_PRELOAD: JSON.stringify({ path, sockets: renumbered, hold, messages, options }),
          UPKEEP_CHANNEL: fds.slice(-2).join(':'),
          NODE_OPTIONS: `--require ${JSON.stringify(path)}${options ? ` ${options}` : ''}`,
        };
      },
    };
  }
}
