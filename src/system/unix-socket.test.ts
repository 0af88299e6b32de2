import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { connectUnix } from './unix-socket.js';

test('a path that leads nowhere is told by the socket, however long it is', async () => {
  for (const path of ['/nowhere/x', `/nowhere/${'x'.repeat(120)}/y`]) {
    const socket = connectUnix(path);
    socket.write('anybody there?');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ENOENT');
    if (!socket.closed) await once(socket, 'close');
  }
});
