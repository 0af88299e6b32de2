import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { PROTOCOL, PROTOCOL_HEADER } from '../protocol/index.js';
import { Client, hasEndedMidway } from './client.js';

test('a question to a daemon that dies is put once more, a command is not', async () => {
  let deaths = 0;
  const body = '{"pid":1}';
  const head = `HTTP/1.1 200 OK\r\n${PROTOCOL_HEADER}: ${PROTOCOL}\r\ncontent-length: ${body.length}\r\n\r\n`;
  const daemon = createServer((socket) => {
    if (deaths-- > 0) socket.destroy();
    else socket.end(head + body);
  }).listen(0, '127.0.0.1');
  await once(daemon, 'listening');
  const { port } = daemon.address() as AddressInfo;
  const client = new Client(async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  });
  try {
    deaths = 1;
    assert.deepEqual(await client.call('daemon'), { pid: 1 });
    deaths = 2;
    await assert.rejects(client.call('daemon'), hasEndedMidway);
    deaths = 1;
    await assert.rejects(client.call('stopDaemon'), hasEndedMidway);
  } finally {
    daemon.close();
  }
});
