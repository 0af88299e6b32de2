import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Redactor } from '../redactor.js';
import { nextOf } from './exchange.js';

test('a redirection is followed on https or from http, and never from https to http or to another protocol', () => {
  const redactor = new Redactor();
  const next = (from: string, to: string): string => nextOf(new URL(from), to, redactor).href;
  assert.equal(next('https://a.example/x', 'https://b.example/y?z=1'), 'https://b.example/y?z=1');
  assert.equal(next('http://a.example/x', 'https://a.example/x'), 'https://a.example/x');
  assert.equal(next('https://a.example/x/y', '../z'), 'https://a.example/z');
  assert.throws(
    () => next('https://a.example/x', 'http://a.example/x'),
    /redirects from https to http \(a\.example\)$/,
  );
  assert.throws(() => next('https://a.example/x', 'ftp://a.example/x'), /redirects to ftp:$/);
  assert.throws(() => next('https://a.example/x', 'file:///etc/passwd'), /redirects to file:$/);
  assert.throws(() => next('http://a.example/x', 'http://[half'), /redirects to what is no URL$/);
});

test('user and password of a place that is redirected to are neither sent nor shown', () => {
  const redactor = new Redactor();
  const to = nextOf(
    new URL('https://a.example/'),
    'https://user:hidden-password@b.example/?sig=signature-1',
    redactor,
  );
  assert.equal(to.href, 'https://b.example/?sig=signature-1');
  assert.equal(redactor.text('hidden-password signature-1'), '*** ***');
});
