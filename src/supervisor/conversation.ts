/** One request to the control socket of a process (src/preload/control.ts), and its answers, a line of JSON each. */
import type { Socket } from 'node:net';
import type { ControlAnswer, ControlRequest } from '../protocol/index.js';
import { connectUnix } from '../system/index.js';

export class Conversation {
  readonly #socket: Socket;
  readonly #answers: ControlAnswer[] = [];
  readonly #waiting = new Set<() => void>();
  #rest = '';
  #isOver = false;

  constructor(path: string, wish: ControlRequest) {
    this.#socket = connectUnix(path);
    this.#socket.setEncoding('utf8');
    this.#socket.on('data', (chunk: string) => this.#take(chunk));
    this.#socket.on('error', () => undefined); // the process has ended; 'close' follows
    this.#socket.on('close', () => this.#finish());
    this.#socket.write(`${JSON.stringify(wish)}\n`);
  }

  get answers(): readonly ControlAnswer[] {
    return this.#answers;
  }

  /** Resolves with false when the time is up or the process has ended. */
  until(isSo: (answer: ControlAnswer) => boolean, limitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(this.#answers.some(isSo));
      };
      const look = (): void => {
        if (this.#isOver || this.#answers.some(isSo)) end();
      };
      const timer = setTimeout(end, limitMs);
      this.#waiting.add(look);
      look();
    });
  }

  /** Whoever waits hears that no more answers come. */
  end(): void {
    this.#socket.destroy();
    this.#finish();
  }

  #finish(): void {
    this.#isOver = true;
    for (const look of [...this.#waiting]) look();
  }

  #take(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop()!;
    this.#answers.push(...lines.flatMap(parseAnswer));
    for (const look of [...this.#waiting]) look();
  }
}

function parseAnswer(line: string): ControlAnswer[] {
  try {
    return [JSON.parse(line) as ControlAnswer];
  } catch {
    return []; // not from our preload
  }
}
