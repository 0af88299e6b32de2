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
  return ownSymbol(socket, 'session') as Session | undefined;
}

export class Http2Connection {
  private readonly session: Session;

  constructor(session: Session) {
    this.session = session;
  }

  get isIdle(): boolean {
    const state = ownSymbol(this.session, 'state') as { streams?: { size: number } } | undefined;
    return state?.streams?.size === 0;
  }

  announce(): void {
    this.session.goaway?.(NO_ERROR, MAX_STREAM);
  }

  closeIfIdle(): void {
    if (!this.session.closed) this.session.close?.();
  }
}

/** Node keeps its secrets under symbols that are not exported. */
function ownSymbol(target: object, name: string): unknown {
  const symbol = Object.getOwnPropertySymbols(target).find((own) => String(own) === `Symbol(${name})`);
  return symbol && (target as { [key: symbol]: unknown })[symbol];
}
