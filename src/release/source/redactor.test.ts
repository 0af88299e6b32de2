import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Redactor, showUrl } from './redactor.js';

test('a secret is taken out as it is, encoded for a URL, and in base64', () => {
  const redactor = new Redactor();
  redactor.add('p@ss/word');
  const base64 = Buffer.from('p@ss/word').toString('base64');
  assert.equal(redactor.text(`a p@ss/word b p%40ss%2Fword c ${base64}`), 'a *** b *** c ***');
});

test('a secret that holds another one leaves nothing of itself', () => {
  const redactor = new Redactor();
  redactor.add('abcd');
  redactor.add('abcd-efgh');
  assert.equal(redactor.text('abcd-efgh'), '***');
});

test('user and password of any URL are masked, known or not, and control characters do not reach a terminal', () => {
  const redactor = new Redactor();
  assert.equal(redactor.text('see https://me:pw@host/x\u001b[2J\nnow'), 'see https://***@host/x [2J now');
});

test('every string within a value is treated, and its shape stays', () => {
  const redactor = new Redactor();
  redactor.addUrl(new URL('https://host/?token=very-secret&n=3'));
  assert.deepEqual(redactor.deep({ a: ['very-secret', 3, null], n: { b: 'n=3' } }), {
    a: ['***', 3, null],
    n: { b: 'n=3' },
  });
});

test('a URL is shown without what may be secret in it', () => {
  assert.equal(showUrl(new URL('https://me:pw@host:8443/a/b?token=x#y')), 'https://host:8443/a/b');
});
