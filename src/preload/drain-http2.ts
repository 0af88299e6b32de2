/** HTTP/2: a notice that no more streams are welcome, and a close as soon as nobody opens one. */
import type { SocketInternals } from './internals.js';

/** An http2.Http2Session; not loaded by importing it. */
interface Session {
  goaway?(code: number, lastStream: number): void;
  close?(): void;
  readonly closed?: boolean;
}

const NO_ERROR = 0;
/** "Nothing is refused yet": RFC 9113, 6.8. */
const MAX_STREAM = 2 ** 31 - 1;

export function sessionOf(socket: SocketInternals): Session | undefined {
  return secrets(socket).find((value) => 'goaway' in value) as Session | undefined;
}

export class Http2Connection {
  /** From the notice to the end: longer than a round trip. What the client could not send any more, it hears of then. */
  readonly patienceMs = 500;
  private readonly session: Session;

  constructor(session: Session) {
    this.session = session;
  }

  get isIdle(): boolean {
    const state = secrets(this.session).find((value) => 'streams' in value) as {
      streams: Map<number, unknown>;
    };
    return state.streams.size === 0;
  }

  announce(): void {
    this.session.goaway?.(NO_ERROR, MAX_STREAM);
  }

  closeIfIdle(): void {
    if (!this.session.closed) this.session.close?.();
  }
}

/** What Node keeps to itself: under symbols, named otherwise in every version (in 20 the session's key is "undefined"). */
function secrets(target: object): object[] {
  const values = Reflect.ownKeys(target).map(
    (key) => Object.getOwnPropertyDescriptor(target, key)?.value as unknown,
  );
  return values.filter((value): value is object => typeof value === 'object' && value !== null);
}
