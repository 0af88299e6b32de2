/** A handle that seems to listen but does not, until upkeep says so ("hold"). */
import { isOpen } from './held-sockets.js';
import type { Handle } from './internals.js';
import { KeepAlive } from './keep-alive.js';

export class HeldBack {
  private readonly handle: Handle;
  private readonly keepAlive = new KeepAlive();
  private backlog: number | null = null;
  private readonly own = new Map<string, { value: unknown; before: PropertyDescriptor | undefined }>();

  constructor(handle: Handle) {
    const keepAlive = this.keepAlive;
    const { close, ref, unref } = handle;
    this.handle = handle;
    this.replace('listen', (backlog: number) => {
      this.backlog = backlog;
      return 0;
    });
    this.replace('close', function (this: Handle, callback?: () => void) {
      keepAlive.end();
      return close.call(this, callback);
    });
    this.replace('ref', function (this: Handle) {
      keepAlive.ref();
      return ref.call(this);
    });
    this.replace('unref', function (this: Handle) {
      keepAlive.unref();
      return unref.call(this);
    });
  }

  /** Throws where it cannot listen. */
  attach(): void {
    const handle = this.handle;
    for (const [name, { value, before }] of this.own) {
      // Somebody who wants to know of the end has wrapped it, and still does.
      if (Object.getOwnPropertyDescriptor(handle, name)?.value !== value) continue;
      if (before) Object.defineProperty(handle, name, before);
      else Reflect.deleteProperty(handle, name);
    }
    this.keepAlive.end();
    // Who looks for a free port closes what it has tried.
    const error = this.backlog !== null && isOpen(handle) && handle.listen?.(this.backlog);
    if (error) throw new Error(`listen: ${error}`);
  }

  private replace(name: string, value: unknown): void {
    this.own.set(name, { value, before: Object.getOwnPropertyDescriptor(this.handle, name) });
    Object.defineProperty(this.handle, name, { value, configurable: true, writable: true });
  }
}
