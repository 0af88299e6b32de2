import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CutOffError, readResponse } from './response.js';

const CHUNKED = 'HTTP/1.1 200 OK\r\nUpkeep-Protocol: 1\r\nTransfer-Encoding: chunked\r\n\r\n';

test('an answer with a length is read up to its end, however it is cut', async () => {
  const text = 'HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\ngrün';
  for (const size of [1, 2, 3, 7, 1000]) {
    const { status, headers, body } = await readResponse(pieces(text, size));
    assert.equal(status, 404);
    assert.equal(headers.get('content-length'), '5');
    assert.equal(await joined(body), 'grün');
  }
});

test('chunks are put together, however they are cut', async () => {
  const text = `${CHUNKED}3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n`;
  for (const size of [1, 2, 5, 1000]) {
    const { headers, body } = await readResponse(pieces(text, size));
    assert.equal(headers.get('upkeep-protocol'), '1');
    assert.equal(await joined(body), 'abc0123456789abcdef');
  }
});

test('without a length the end of the connection ends the answer', async () => {
  const { body } = await readResponse(pieces('HTTP/1.1 200 OK\r\n\r\nall of it', 4));
  assert.equal(await joined(body), 'all of it');
});

test('an answer that is cut off is an error, not a short answer', async () => {
  const heads = [
    'HTTP/1.1 200 OK\r\nContent-Le',
    'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc',
    `${CHUNKED}9\r\nabc`,
  ];
  for (const text of heads) {
    await assert.rejects(async () => joined((await readResponse(pieces(text, 5))).body), CutOffError);
  }
});

async function* pieces(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function joined(body: AsyncIterable<Buffer>): Promise<string> {
  const parts = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}
