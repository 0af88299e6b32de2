/** What upkeep has in this process, put together. */
import type { ControlRequest } from '../protocol/index.js';
import { attempt } from './attempt.js';
import { Channel } from './channel.js';
import { type Inheritance, wrapSpawn } from './children.js';
import { type Answer, serveControl } from './control.js';
import { tellCrashes } from './crash.js';
import { Drain } from './drain.js';
import { isWorkerThread, type Setup } from './environment.js';
import { HeldSocket } from './held-sockets.js';
import { takeFreeInspectorPort } from './inspector-port.js';
import type { Handle } from './internals.js';
import type { Listener } from './listener.js';
import { Listening } from './listening.js';
import { Metrics } from './metrics.js';
import { deliver, hearReady } from './messages.js';
import { fs, major } from './node.js';
import { OwnPorts } from './own-ports.js';
import { answerPing } from './ping.js';
import { listenPrivately } from './private-socket.js';
import { sayAgain } from './say-again.js';
import { linkIfSecure } from './tls-link.js';
import { Witness } from './witness.js';

const { pid } = process;
/** A file in the folder of the channel; src/supervisor/speakers.ts removes it. */
const ATTACHED = `${pid}.attached`;

export class Guest {
  private readonly setup: Setup;
  private readonly channel: Channel;
  private readonly held: readonly HeldSocket[];
  private readonly listening: Listening;
  private readonly ownPorts: OwnPorts;
  private readonly doors = new Set<number>();
  /** Doors of threads that were held back when this process was attached. */
  private stuck: readonly string[] = [];
  private control: Handle | null = null;
  private drain: Drain | null = null;
  private readonly metrics = new Metrics();

  static enter(setup: Setup): void {
    const channel = setup.channel && Channel.open(setup.channel);
    if (channel) new Guest(setup, channel).arrive();
  }

  private constructor(setup: Setup, channel: Channel) {
    this.setup = setup;
    this.channel = channel;
    this.held = setup.sockets.map((spec) => new HeldSocket(spec));
    this.ownPorts = new OwnPorts(channel);
    this.listening = new Listening({
      held: this.held,
      hold: setup.hold,
      wasAttached: () => isWorkerThread && this.wasAttached,
      isTaken: (port) => this.isTaken(port),
      awaitFree: (place) => this.ownPorts.awaitFree(place),
      onListening: (listener) => this.announce(listener),
    });
  }

  private arrive(): void {
    if (isWorkerThread) return;
    attempt(() => this.removeStale());
    const witness = new Witness((word, words) => this.channel.say(word, pid, words));
    const prototype = wrapSpawn(
      (isClusterWorker) => this.inheritance(isClusterWorker),
      (child) => witness.watch(child),
    );
    witness.attend(prototype);
    takeFreeInspectorPort(this.setup.options);
    tellCrashes((word, crash) => this.channel.say(word, pid, crash));
    this.channel.say('hello', pid, process.version);
    if (!this.setup.messages) return;
    this.openControl();
    hearReady(() => this.channel.say('ready', pid));
  }

  /** Of a process before, whose number the kernel has given to this one. */
  private removeStale(): void {
    const folder = this.channel.pathOf('');
    if (folder === null) return;
    const isStale = (name: string) => name.split('.')[0] === String(pid);
    for (const name of fs.readdirSync(folder).filter(isStale)) fs.unlinkSync(folder + name);
  }

  private announce(listener: Listener): void {
    linkIfSecure(listener.server);
    const { handle, address, port, origin } = listener;
    this.openControl();
    if (origin !== 'shared') this.openDoor(listener);
    if (origin === 'own') attempt(() => this.ownPorts.note(port));
    this.channel.say('listening', pid, handle.fd ?? -1, address, port, origin);
    // Its door is open: if the attach came in between, it has seen that, or it is seen here.
    if (isWorkerThread && this.wasAttached) this.listening.attach();
    if (this.control && 'maxHeadersCount' in listener.server) attempt(() => this.metrics.count());
  }

  private openControl(): void {
    if (this.control || isWorkerThread) return;
    const path = this.channel.pathOf(String(pid));
    const onConnection = (client: Handle) => serveControl(client, (...values) => this.handle(...values));
    this.control = path === null ? null : listenPrivately(path, onConnection);
    if (this.control) this.channel.say('control', pid);
  }

  /** A door that is not ours is another thread's; doors are closed with their servers. */
  private isTaken(port: number): boolean {
    const path = this.channel.pathOf(`${pid}.${port}`);
    return path !== null && !this.doors.has(port) && fs.existsSync(path);
  }

  /** A thread that is held back cannot be told: it has no socket of its own for that. One that listens later looks by itself. */
  private attach(): boolean {
    const isAttached = this.listening.attach();
    const folder = this.setup.hold ? this.channel.pathOf('') : null;
    if (folder === null) return isAttached;
    if (!this.wasAttached) {
      attempt(() => fs.closeSync(fs.openSync(folder + ATTACHED, 'w')));
      const isThreads = (name: string) => {
        const [owner, port] = name.split('.').map(Number);
        return owner === pid && !this.doors.has(port!) && this.held.some(({ spec }) => spec.port === port);
      };
      this.stuck = fs.readdirSync(folder).filter(isThreads);
    }
    return isAttached && !this.stuck.some((name) => fs.existsSync(folder + name));
  }

  /** This process takes traffic; all its threads can see it. */
  private get wasAttached(): boolean {
    const path = this.channel.pathOf(ATTACHED);
    return path !== null && fs.existsSync(path);
  }

  private openDoor(listener: Listener): void {
    const { handle, port } = listener;
    const path = this.channel.pathOf(`${pid}.${port}`);
    if (path === null) return;
    const door = listenPrivately(path, (client) => {
      if (listener.isOpen && handle.onconnection) handle.onconnection(0, client);
      else client.close();
    });
    if (!door) return;
    this.doors.add(port);
    listener.onClose(() => {
      this.doors.delete(port);
      door.close();
    });
  }

  private handle(request: ControlRequest, answer: Answer): unknown {
    switch (request.do) {
      case 'drain':
        this.drain = this.drain ?? new Drain(request);
        this.drain.begin(this.listening.listeners, request, (cut) => answer({ drained: true, cut }));
        return answer({ ok: true });
      case 'attach':
        return answer(this.attach() ? { ok: true } : { error: 'a server of it does not listen' });
      case 'ping':
        return answer(answerPing(request.resources));
      case 'message':
        deliver(request.message);
        return answer({ ok: true });
      case 'metrics': {
        const say = () => answer({ metrics: this.metrics.read(request.isLook) });
        if (say() && request.everyMs) sayAgain(request.everyMs, say);
        return;
      }
      default:
        return answer({ error: 'unknown request' });
    }
  }

  /** Who listens is the application: its children are its own. A worker of a cluster is a part of it. */
  private inheritance(isClusterWorker: boolean): Inheritance | null {
    if (this.listening.hasBegun && !isClusterWorker) return null;
    const { up, folder } = this.channel;
    if (!up.isIntact || !folder.isIntact) return null;
    const { path, hold, messages, blocking } = this.setup;
    const sockets = this.held.map(({ spec, fds }) => ({ spec, fds }));
    return {
      fds: sockets.reduce<number[]>((all, { fds }) => all.concat(fds), []).concat(up.fd, folder.fd),
      args: major < 8 ? ['-r', path] : [], // NODE_OPTIONS came with 8
      variables(fds, options) {
        let used = 0;
        const renumbered = sockets.map(({ spec, fds: own }) =>
          Object.assign({}, spec, { fds: fds.slice(used, (used += own.length)) }),
        );
        return {
          UPKEEP_PRELOAD: JSON.stringify({ path, sockets: renumbered, hold, messages, blocking, options }),
          UPKEEP_CHANNEL: fds.slice(-2).join(':'),
          NODE_OPTIONS: `--require ${quote(path)}${options ? ` ${options}` : ''}`,
        };
      },
    };
  }
}

/** Only where it must be: Node 8 knows no quotes in NODE_OPTIONS. */
function quote(path: string): string {
  return /[\s"\\]/.test(path) ? JSON.stringify(path) : path;
}
