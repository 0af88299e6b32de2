import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskPath } from './mask-path.js';

test('what looks secret in a path is masked, and nothing else', () => {
  const shown = {
    '/': '/',
    '/users/4711/orders': '/users/4711/orders',
    '/blog/how-to-cook-rice-in-10-minutes': '/blog/how-to-cook-rice-in-10-minutes',
    '/api/v2/search': '/api/v2/search',
    '/users/3fa85f64-5717-4562-b3fc-2c963f66afa6/x': '/users/***/x',
    '/files/5d41402abc4b2a76b9719d911017c592.png': '/files/***',
    '/o/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N': '/o/***',
    '/u/aB3-dE5_fG7-hI9_jK1-lM3': '/u/***',
    '/reset-password/123456': '/reset-password/***',
    '/token/abc/next': '/token/***/next',
    '/x/key=hunter2': '/x/***',
  };
  for (const [path, masked] of Object.entries(shown)) assert.equal(maskPath(path), masked);
});
