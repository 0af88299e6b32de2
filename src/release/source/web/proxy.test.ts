import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyFor } from './proxy.js';

const HTTPS = { https_proxy: 'http://proxy:3128' };

function via(url: string, env: Record<string, string>): string | null {
  return proxyFor(new URL(url), env)?.host ?? null;
}

test('each protocol has its proxy, in small letters or capitals, with or without http://', () => {
  assert.equal(via('https://a.example/', HTTPS), 'proxy:3128');
  assert.equal(via('http://a.example/', HTTPS), null);
  assert.equal(via('http://a.example/', { HTTP_PROXY: 'proxy:8080' }), 'proxy:8080');
  assert.equal(via('http://a.example/', { all_proxy: 'http://proxy:1' }), 'proxy:1');
  assert.equal(via('https://a.example/', { https_proxy: '' }), null);
});

test('what no_proxy names, with all below it, and this host are asked directly', () => {
  const env = { ...HTTPS, no_proxy: 'a.example, .b.example,c.example:8443' };
  for (const url of [
    'https://a.example/',
    'https://x.a.example/',
    'https://x.b.example/',
    'https://c.example:8443/',
  ])
    assert.equal(via(url, env), null, url);
  for (const url of ['https://ba.example/', 'https://c.example/', 'https://example/'])
    assert.equal(via(url, env), 'proxy:3128', url);
  assert.equal(via('https://a.example/', { ...HTTPS, NO_PROXY: '*' }), null);
  for (const host of ['localhost', '127.0.0.1', '[::1]']) assert.equal(via(`https://${host}/`, HTTPS), null);
});

test('a proxy of another kind is refused rather than passed by', () => {
  assert.throws(
    () => via('https://a.example/', { https_proxy: 'socks5://proxy:1080' }),
    /the proxy for https is none of http$/,
  );
});
