import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineFramer } from './line-framer.js';

test('an unfinished line waits for its end', () => {
  const framer = new LineFramer();
  assert.equal(framer.push(Buffer.from('half')), undefined);
  assert.equal(framer.push(Buffer.from(' a line\nand'))?.toString(), 'half a line\n');
  assert.equal(framer.end()?.toString(), 'and\n');
});

test('the end of a writer that finished its line adds nothing', () => {
  const framer = new LineFramer();
  framer.push(Buffer.from('whole\n'));
  assert.equal(framer.end(), undefined);
});

test('what was passed on is not passed on again', () => {
  const framer = new LineFramer();
  framer.push(Buffer.from('rest'));
  framer.end();
  assert.equal(framer.end(), undefined);
});

test('a line without an end is passed on in pieces', () => {
  const framer = new LineFramer();
  const chunk = Buffer.alloc(100 * 1024, 'x');
  assert.equal(framer.push(chunk), undefined);
  assert.equal(framer.push(chunk), undefined);
  assert.equal(framer.push(chunk)?.length, 300 * 1024 + 1);
});

test('the chunk of the reader may be used again', () => {
  const framer = new LineFramer();
  const chunk = Buffer.from('mine');
  framer.push(chunk);
  chunk.fill('x');
  assert.equal(framer.end()?.toString(), 'mine\n');
});
