import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { ClientContext, RunClient } from '../client.js';
import type { SocketIoDescription } from '../description.js';
import { runConversations, type Conversation, type Line } from './conversation.js';

export const runSocketIo: RunClient<SocketIoDescription> = (description, context) => {
  const { io } = createRequire(join(description.installedIn, 'package.json'))('socket.io-client') as SocketIo;
  return runConversations(description, context, (conversation) => dial(io, conversation, context));
};

/** What is used of the package, which is installed where the application is. */
interface SocketIo {
  readonly io: (url: string, options: object) => IoSocket;
}
interface IoSocket {
  on(event: 'connect', listener: () => void): unknown;
  on(event: 'connect_error', listener: (error: Error & { description?: unknown }) => void): unknown;
  on(event: 'disconnect', listener: (reason: string, details?: { description?: unknown }) => void): unknown;
  emit(event: 'echo', text: string, answer: (echo: { pid: number; text: string }) => void): unknown;
  disconnect(): unknown;
}

/** undefined: the handshake failed, and that is written down. */
function dial(
  io: SocketIo['io'],
  conversation: Conversation,
  context: ClientContext,
): Promise<Line | undefined> {
  const { opening } = conversation;
  const { recorder, port, timeoutMs } = context;
  return new Promise((resolve) => {
    const socket = io(`http://127.0.0.1:${port}`, {
      transports: ['websocket'],
      reconnection: false, // nothing is retried silently
      forceNew: true,
      timeout: timeoutMs,
    });
    socket.on('connect', () => {
      recorder.connected();
      resolve({
        send: ({ id }) => socket.emit('echo', id, (echo) => conversation.heard(echo.text, echo.pid)),
        close: () => socket.disconnect(),
        destroy: () => socket.disconnect(),
      });
    });
    socket.on('connect_error', (error) => {
      const cause = causeOf(error);
      if (error.message === 'timeout') opening.fail('hung', `no handshake after ${timeoutMs} ms`);
      else opening.failBy(cause);
      socket.disconnect();
      resolve(undefined);
    });
    socket.on('disconnect', (reason) => {
      // "server disconnect" is said in words; "transport close" and "transport error" are not.
      const isClean = reason === 'io server disconnect' || reason === 'io client disconnect';
      conversation.ended({ isClean, detail: reason });
    });
  });
}

/** The error of the system is wrapped in an event of its WebSocket. */
function causeOf(error: Error & { description?: unknown }): NodeJS.ErrnoException {
  const { error: cause } = (error.description ?? {}) as { error?: NodeJS.ErrnoException };
  return cause ?? error;
}
