/**
 * What a body brings, also where its connection breaks: the iterator that streams have throws away what arrived before that, up to
 * 64 KB each time. Throws what broke it, when everything else is told.
 */
import type { Readable } from 'node:stream';
import { deferred } from '../../../util/index.js';

const MAX_WAITING_BYTES = 1024 ** 2;

/** Listens from this moment on: what is asked for later may have come and gone. */
export function piecesOf(body: Readable): AsyncGenerator<Buffer> {
  const waiting: Buffer[] = [];
  let bytes = 0;
  let end: { error?: Error } | undefined;
  let news = deferred();
  const settle = (how: { error?: Error }): void => {
    end ??= how;
    news.resolve();
  };
  body
    .on('data', (piece: Buffer) => {
      waiting.push(piece);
      bytes += piece.length;
      if (bytes > MAX_WAITING_BYTES) body.pause();
      news.resolve();
    })
    .once('end', () => settle({}))
    .once('error', (error) => settle({ error }))
    .once('close', () => settle({ error: new Error('the connection was closed') }));
  if (body.destroyed) settle({ error: new Error('the connection was closed') });
  async function* tell(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        const piece = waiting.shift();
        if (piece) {
          bytes -= piece.length;
          if (body.isPaused()) body.resume();
          yield piece;
        } else if (end) {
          if (end.error) throw end.error;
          return;
        } else {
          await news.promise;
          news = deferred();
        }
      }
    } finally {
      body.on('error', () => undefined).destroy();
    }
  }
  return tell();
}
