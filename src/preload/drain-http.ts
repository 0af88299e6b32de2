/** HTTP/1: responses say "Connection: close", idle connections are closed, and a close loses nothing on its way. */
import { attempt } from './attempt.js';
import type { Request, Response, ServerInternals, SocketInternals } from './internals.js';
import { linger, lingers } from './linger.js';

const REQUESTS = ['request', 'checkContinue', 'checkExpectation'];

/** The response that closes its connection, where later requests may still come first. */
const closing = new WeakMap<SocketInternals, Response>();

/** For all requests that come from now on; seen by an own `emit`, because the listeners are the application's. */
export function closeAfterResponses(server: ServerInternals): void {
  const original = server.emit;
  Object.defineProperty(server, 'emit', {
    configurable: true,
    writable: true,
    value: function emit(this: ServerInternals, ...values: [string, ...unknown[]]): boolean {
      const [event, request, response] = values;
      if (REQUESTS.includes(event)) {
        const isLate = attempt(() => closeAfter(request as Request, response as Response));
        if (isLate) return true;
      }
      return original.apply(this, values);
    },
  });
}

/** Answers whether the response before said already that it is the last one: nobody waits for this one. */
function closeAfter({ socket }: Request, response: Response): boolean {
  if (typeof response.shouldKeepAlive !== 'boolean') return false; // of HTTP/2
  if (lingers(socket)) return true;
  const before = closing.get(socket);
  if (before && !before._header) before.shouldKeepAlive = true;
  if (response.shouldKeepAlive) {
    response.shouldKeepAlive = false;
    closing.set(socket, response);
  }
  closeGently(socket);
  return false;
}

export class Http1Connection {
  private readonly socket: SocketInternals;

  constructor(socket: SocketInternals) {
    this.socket = socket;
  }

  get isIdle(): boolean {
    return !this.socket._httpMessage;
  }

  /** The response that is under way, unless others wait behind it. Which those are is known since Node 15.7. */
  announce(): void {
    const { _httpMessage: response, parser } = this.socket;
    closeGently(this.socket);
    if (response?.req && parser?.incoming === response.req && !response._header) {
      closeAfter({ socket: this.socket }, response);
    }
  }

  closeIfIdle(): void {
    linger(this.socket);
  }
}

/** Node destroys the socket after its last response, which resets it if something unread has come meanwhile. */
function closeGently(socket: SocketInternals): void {
  if (Object.prototype.hasOwnProperty.call(socket, 'destroySoon')) return;
  Object.defineProperty(socket, 'destroySoon', {
    configurable: true,
    writable: true,
    value: function destroySoon(this: SocketInternals) {
      linger(this);
    },
  });
}
