/**
 * From a raw socket to the TLSSocket above it: active handles are raw, and Node knows only the other direction.
 * Costs an entry per TLS connection, nothing where no TLS server listens.
 */
import type { SocketInternals } from './internals.js';
import { replaceMethod } from './replace.js';

interface TlsPrototype {
  _init(this: SocketInternals, ...values: unknown[]): void;
}

const above = new WeakMap<object, SocketInternals>();
let isLinked = false;

/** Called for every server that listens. */
export function linkIfSecure(server: object): void {
  if (isLinked || !('setSecureContext' in server || 'addContext' in server)) return;
  isLinked = true;
  const { TLSSocket } = require('node:tls') as { TLSSocket: { prototype: TlsPrototype } };
  replaceMethod(
    TLSSocket.prototype,
    '_init',
    (original) =>
      function (...values) {
        for (const value of values) if (typeof value === 'object' && value !== null) above.set(value, this);
        return original.apply(this, values);
      },
  );
}

export function secured(raw: SocketInternals): SocketInternals {
  return above.get(raw) ?? raw;
}
