/** A conversation with the inspector of one process, in the words of the Chrome DevTools Protocol. */
import { WebSocketClient } from './websocket.js';

export type Params = Readonly<Record<string, unknown>>;
type OnEvent = (params: Params) => void;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Params;
  readonly result?: Params;
  readonly error?: { readonly message: string };
}

interface Waiting {
  readonly resolve: (result: Params) => void;
  readonly reject: (error: Error) => void;
}

export class InspectorSession {
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<string, OnEvent>();
  #client: WebSocketClient | undefined;
  #lastId = 0;
  #isOver = false;

  static async connect(url: string): Promise<InspectorSession> {
    const session = new InspectorSession();
    session.#client = await WebSocketClient.open(new URL(url), {
      onMessage: (text) => session.#take(JSON.parse(text) as Message),
      onClose: () => session.#finish(),
    });
    return session;
  }

  on(method: string, listener: OnEvent): void {
    this.#listeners.set(method, listener);
  }

  /** Rejects where the process refuses, or ends before it has answered. */
  ask(method: string, params: Params = {}): Promise<Params> {
    return new Promise((resolve, reject) => {
      if (this.#isOver) return reject(gone());
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve, reject });
      this.#client!.send(JSON.stringify({ id, method, params }));
    });
  }

  /** Closes the port of the inspector too, not only this conversation. */
  async closeInspector(): Promise<void> {
    // The answer does not come any more: what would send it has ended.
    this.ask('Runtime.evaluate', { expression: 'process._debugEnd()' }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, CLOSING_MS));
  }

  close(): void {
    this.#client?.close();
    this.#finish();
  }

  #take({ id, method, params, result, error }: Message): void {
    if (id === undefined) return this.#listeners.get(method ?? '')?.(params ?? {});
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result ?? {});
  }

  #finish(): void {
    this.#isOver = true;
    for (const { reject } of this.#waiting.values()) reject(gone());
    this.#waiting.clear();
  }
}

/** How long the process has to read the last words. */
const CLOSING_MS = 50;

const gone = (): Error => new Error('the process ended, or closed its inspector');
