import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskWith } from './mask.js';

test('values that are known to be secret are hidden, the longer ones first', () => {
  const mask = maskWith(['hunter22', 'hunter22-and-more', 'short']);
  assert.equal(mask('a hunter22-and-more b hunter22 c short'), 'a *** b *** c short');
});

test('what looks secret is hidden although nobody knows its value', () => {
  const mask = maskWith([]);
  assert.equal(mask('API_KEY=hunter2'), 'API_KEY=[hidden]');
  assert.equal(mask('to https://me:hunter2@registry/'), 'to https://me:[hidden]@registry/');
});

test('nothing that a terminal obeys is left, and a line ends somewhere', () => {
  const mask = maskWith([]);
  assert.equal(mask('\u001b[31mred\u001b[0m \u001b]0;title\u0007and\u0008 blue  '), 'red and  blue');
  assert.equal(mask('x'.repeat(1000)).length, 500);
});
