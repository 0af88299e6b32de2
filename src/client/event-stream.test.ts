import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEventStream } from './event-stream.js';

test('values come out, wherever the pieces of the stream end; comments do not', async () => {
  const text = ':\n\ndata: {"line":"ä"}\n\ndata: 2\n\n:\n\ndata: null\n\n';
  for (const size of [1, 2, 7, 100])
    assert.deepEqual((await read(text, size)).values, [{ line: 'ä' }, 2, null], `pieces of ${size}`);
});

test('a failure at the end is thrown, also behind a value that was cut off', async () => {
  const failure = 'event: error\ndata: {"error":{"code":"internal"}}\n\n';
  for (const before of ['', 'data: {"line":"cut', 'data: {"line":"cut\n\n']) {
    const { values, failed } = await read(`data: 1\n\n${before}\n\n${failure}`, 5);
    assert.deepEqual([values, failed], [[1], '{"error":{"code":"internal"}}'], before);
  }
});

test('a value that was cut off is no end', async () => {
  const { values, failed } = await read('data: 1\n\ndata: {"line":"c\n\ndata: 2\n\n', 5);
  assert.deepEqual([values, failed], [[1], '{"line":"c']);
});

async function read(text: string, size: number): Promise<{ values: unknown[]; failed: string | undefined }> {
  const bytes = Buffer.from(text);
  // eslint-disable-next-line @typescript-eslint/require-await
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const values: unknown[] = [];
  try {
    for await (const value of readEventStream(pieces(), (said) => new Error(said))) values.push(value);
    return { values, failed: undefined };
  } catch (error) {
    return { values, failed: (error as Error).message };
  }
}
