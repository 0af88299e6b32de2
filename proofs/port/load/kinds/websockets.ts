import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ClientContext, RunClient } from '../client.js';
import type { WebSocketsDescription } from '../description.js';
import { observe } from '../request.js';
import { runConversations, type Conversation, type Line } from './conversation.js';
import { acceptOf, WebSocketConnection } from './websocket.js';

export const runWebSockets: RunClient<WebSocketsDescription> = (description, context) =>
  runConversations(description, context, (conversation) => dial(conversation, context));

interface Echo {
  readonly pid: number;
  readonly text: string;
}

/** undefined: the handshake failed, and that is written down. */
function dial(conversation: Conversation, context: ClientContext): Promise<Line | undefined> {
  const { recorder, port, timeoutMs } = context;
  const { opening } = conversation;
  return new Promise((resolve) => {
    const key = randomBytes(16).toString('base64');
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': key,
    };
    const asking = request({
      host: '127.0.0.1',
      port,
      agent: false,
      path: `/echo?id=${opening.id}`,
      headers,
    });
    const timer = setTimeout(() => {
      opening.fail('hung', `no handshake after ${timeoutMs} ms`);
      asking.destroy();
    }, timeoutMs);
    asking.on('socket', (socket) => observe(socket, false, opening, recorder));
    asking.on('upgrade', (response, socket, head) => {
      opening.hasResponseByte = true;
      if (response.headers['sec-websocket-accept'] === acceptOf(key)) {
        resolve(talkOver(socket, head, conversation));
      } else {
        opening.fail('wrong_body', 'the answer to another handshake');
        socket.destroy();
        resolve(undefined);
      }
    });
    asking.on('response', (response) => {
      opening.fail('wrong_status', String(response.statusCode));
      response.resume();
    });
    asking.on('error', (error) => opening.failBy(error));
    asking.on('close', () => {
      clearTimeout(timer);
      resolve(undefined); // has no effect after an upgrade
    });
    asking.end();
  });
}

function talkOver(socket: Duplex, head: Buffer, conversation: Conversation): Line {
  const connection = new WebSocketConnection(socket, head, {
    onText: (text) => {
      const echo = JSON.parse(text) as Echo;
      conversation.heard(echo.text, echo.pid);
    },
    onEnd: (code, detail) => conversation.ended({ isClean: code !== undefined, detail }),
  });
  return {
    send: ({ id }) => connection.send(id),
    close: () => connection.close(),
    destroy: () => connection.destroy(),
  };
}
