/**
 * Through which proxy a URL is asked, by the variables that curl and git go by, and how. Node's own client knows them from version 24 on
 * only. This machine itself is always asked directly.
 */
import { request, type RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import { decoded } from '../../../util/index.js';
import { Impassable } from './failure.js';

type Variables = Readonly<Record<string, string | undefined>>;

/** What a request does otherwise where there is a proxy. */
export interface Way extends Omit<RequestOptions, 'headers'> {
  readonly headers?: Readonly<Record<string, string>>;
}

/** null: it is asked directly. */
export function proxyFor(url: URL, env: Variables): URL | null {
  const read = (name: string): string | undefined => env[name] ?? env[name.toUpperCase()];
  // HTTP_PROXY in capitals is what a CGI program gets of a header `Proxy`; nothing of upkeep is one.
  const text = (url.protocol === 'https:' ? read('https_proxy') : read('http_proxy')) ?? read('all_proxy');
  if (!text || isLocal(url.hostname) || isExcepted(url, read('no_proxy') ?? '')) return null;
  const whole = text.includes('://') ? text : `http://${text}`;
  if (URL.canParse(whole) && new URL(whole).protocol === 'http:') return new URL(whole);
  throw new Impassable(
    `the proxy for ${url.protocol.slice(0, -1)} is none of http`,
    'set it like http://proxy.example.com:3128 where the daemon is started, or name the host in no_proxy',
  );
}

/** `example.com`, `.example.com`, `example.com:8443`, `*` */
function isExcepted({ hostname, port, protocol }: URL, list: string): boolean {
  const ownPort = port || (protocol === 'https:' ? '443' : '80');
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === '*') return true;
    const [, name = '', wanted] = /^\*?\.?([^:]*)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    if (name === '' || (wanted !== undefined && wanted !== ownPort)) return false;
    return hostname === name || hostname.endsWith(`.${name}`);
  });
}

function isLocal(hostname: string): boolean {
  return hostname === 'localhost' || hostname.startsWith('127.') || hostname === '[::1]';
}

/** For a URL of http: the proxy is asked for the whole of it. */
export function forwardOptions(proxy: URL, url: URL): Way {
  return {
    ...placeOf(proxy),
    path: url.href,
    headers: { host: url.host, ...authorizationOf(proxy) },
  };
}

/** For a URL of https: a connection through the proxy, which sees nothing of what is said. */
export function tunnel(proxy: URL, url: URL, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  const authority = `${url.hostname}:${url.port || 443}`;
  return new Promise((resolve, reject) => {
    const asking = request({
      ...placeOf(proxy),
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...authorizationOf(proxy) },
      agent: false,
      signal,
    });
    asking.setTimeout(timeoutMs, () => asking.destroy(new Error('it has been silent for too long')));
    asking.once('connect', ({ statusCode }, socket) => {
      if (statusCode === 200) return resolve(connect({ socket, servername: url.hostname }));
      socket.destroy();
      reject(new Error(`the proxy ${proxy.host} answered ${statusCode}`));
    });
    asking.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(`the proxy ${proxy.host} cannot be used (${error.code ?? error.message})`)),
    );
    asking.end();
  });
}

function placeOf({ hostname, port }: URL): RequestOptions {
  return { hostname: hostname.replace(/^\[|\]$/g, ''), port: port || 80 };
}

function authorizationOf({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const pair = `${decoded(username)}:${decoded(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}
