/**
 * Decides when the sockets of a service refuse connections: as long as something accepts or soon will, they wait;
 * when nothing has accepted for too long, or in a crash loop, whoever balances load has to notice.
 */
import type { Clock, Timer } from '../system/index.js';
import type { Instance } from './instance.js';
import type { Service } from './service.js';

/** How long after it became ready an application may take to open the last of its sockets. */
const TIDY_MS = 10_000;

export class SocketGuard {
  readonly #service: Service;
  readonly #clock: Clock;
  readonly #closed = new WeakSet<Instance>();
  #refusal: Timer | undefined;
  #tidying: Timer | undefined;
  #isRefusing = false;

  constructor(service: Service, clock: Clock) {
    this.#service = service;
    this.#clock = clock;
  }

  /** After each change of an instance. */
  look(): void {
    const { sockets, isWanted, all } = this.#service;
    if (sockets.isEmpty) return;
    if (!isWanted) return this.#letGo(all);
    if (all.some(accepts)) return this.#wait();
    if (this.#isRefusing) return;
    // Nobody will come soon, or at all.
    if (all.every(({ status }) => status === 'crashed' || status === 'completed')) return this.#refuse();
    this.#refusal ??= this.#clock.at(this.#clock.now() + this.#service.spec.sockets.holdMs, () =>
      this.#refuse(),
    );
  }

  onListening(instance: Instance): void {
    this.#closed.delete(instance);
    this.#service.sockets.noteListening();
    this.#isRefusing = false;
    this.look();
    this.#tidying?.cancel();
    this.#tidying = this.#clock.at(this.#clock.now() + TIDY_MS, () => this.#tidy());
  }

  onClosed(instance: Instance): void {
    this.#closed.add(instance);
    this.look();
  }

  end(): void {
    this.#cancelRefusal();
    this.#tidying?.cancel();
  }

  #wait(): void {
    this.#cancelRefusal();
    this.#isRefusing = false;
  }

  #cancelRefusal(): void {
    this.#refusal?.cancel();
    this.#refusal = undefined;
  }

  #refuse(): void {
    this.#cancelRefusal();
    this.#isRefusing = true;
    this.#service.sockets.refuse();
  }

  /** It is being stopped: refused as soon as nobody could be disturbed by that. */
  #letGo(instances: readonly Instance[]): void {
    this.end();
    const isDone = instances.every((instance) => instance.isAtRest || this.#closed.has(instance));
    if (isDone) this.#service.sockets.close({ isShared: true });
  }

  /** A socket that no instance uses would let connections wait for ever. */
  #tidy(): void {
    const instances = this.#service.all;
    if (instances.every(({ status }) => status === 'running'))
      this.#service.sockets.tidy(instances.flatMap(({ listening }) => listening));
  }
}

function accepts(instance: Instance): boolean {
  return instance.process !== undefined && (instance.status === 'running' || instance.listening.length > 0);
}
