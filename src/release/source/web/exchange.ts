/**
 * One request and the head of its answer. Redirections are followed here, by hand: credentials are for the origin that they were
 * given for and never reach another one, which `fetch` gets wrong for every header but `Authorization`
 * (https://github.com/nodejs/undici/issues/4917: object storages of GitLab saw PRIVATE-TOKEN); and nothing goes from https to http.
 */
import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestSecure } from 'node:https';
import { decoded } from '../../../util/index.js';
import type { Redactor } from '../redactor.js';
import { Impassable, Passing } from './failure.js';
import { forwardOptions, proxyFor, tunnel, type Way } from './proxy.js';

export interface Ask {
  readonly url: URL;
  /** @default GET */
  readonly method?: 'GET' | 'POST';
  /** For whoever answers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For the origin of `url` alone. */
  readonly credentials?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** To be read or destroyed. */
  readonly body: IncomingMessage;
  /** Host of whoever answered at last. */
  readonly host: string;
  /** Said by the first one that was asked, where it sent us on. */
  readonly firstHeaders: IncomingMessage['headers'];
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MAX_HOPS = 5;

export interface ExchangeOptions {
  /** Without a byte. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
  readonly redactor: Redactor;
}

export async function exchange(ask: Ask, options: ExchangeOptions): Promise<Answer> {
  let url = options.redactor.open(ask.url);
  let credentials = { ...ask.credentials, ...basicOf(ask.url) };
  let firstHeaders: IncomingMessage['headers'] | undefined;
  for (let hop = 0; hop <= MAX_HOPS; hop++) {
    const body = await send(url, { ...ask, headers: { ...ask.headers, ...credentials } }, options);
    const { statusCode: status = 0, headers } = body;
    firstHeaders ??= headers;
    if (!REDIRECTS.has(status) || headers.location === undefined)
      return { status, headers, body, host: url.host, firstHeaders };
    body.destroy();
    const next = nextOf(url, headers.location, options.redactor);
    // What has left its origin once gets nothing any more, even where it is sent back.
    if (next.origin !== url.origin) credentials = {};
    url = next;
  }
  throw new Impassable(`${url.host} redirects without end`, 'see that the URL of the source is right');
}

/** Where a redirection leads, if it may be followed. */
export function nextOf(from: URL, location: string, redactor: Redactor): URL {
  if (!URL.canParse(location, from.href))
    throw new Impassable(`${from.host} redirects to what is no URL`, 'see what stands between: a proxy?');
  const next = redactor.open(new URL(location, from.href));
  if (!/^https?:$/.test(next.protocol))
    throw new Impassable(`${from.host} redirects to ${next.protocol}`, 'only http and https are followed');
  if (from.protocol === 'https:' && next.protocol === 'http:') {
    const fact = `${from.host} redirects from https to http (${next.host})`;
    throw new Impassable(
      fact,
      'let the server redirect to https; what comes without it may be changed on its way',
    );
  }
  return next;
}

/** User and password of a URL, as a header. */
function basicOf({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const pair = `${decoded(username)}:${decoded(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

async function send(url: URL, ask: Ask, options: ExchangeOptions): Promise<IncomingMessage> {
  const { idleMs, signal, redactor } = options;
  signal.throwIfAborted();
  const proxy = proxyFor(url, process.env);
  if (!proxy) return begin(url, ask, {}, options);
  redactor.addUrl(proxy);
  if (url.protocol === 'http:') return begin(url, ask, forwardOptions(proxy, url), options);
  const socket = await tunnel(proxy, url, idleMs, signal).catch((error: Error) => {
    signal.throwIfAborted();
    throw new Passing(`${url.host}: ${error.message}`);
  });
  return begin(url, ask, { createConnection: () => socket }, options);
}

function begin(
  url: URL,
  { method = 'GET', headers }: Ask,
  way: Way,
  { idleMs, signal }: ExchangeOptions,
): Promise<IncomingMessage> {
  const open = url.protocol === 'https:' ? requestSecure : requestPlain;
  return new Promise((resolve, reject) => {
    const request = open(url, {
      ...way,
      method,
      headers: { 'user-agent': 'upkeep', 'accept-encoding': 'identity', ...headers, ...way.headers },
      ...(way.createConnection ? {} : { agent: false }), // an agent would open one of its own
      signal,
    });
    request.setTimeout(idleMs, () =>
      request.destroy(new Error(`it has been silent for ${Math.round(idleMs / 1000)} s`)),
    );
    request.once('response', resolve).on('error', (error) => {
      if (signal.aborted) reject(signal.reason as Error);
      else reject(new Passing(wordsOf(error, url)));
    });
    request.end();
  });
}

/** `127.0.0.1:8080 cannot be reached (ECONNREFUSED)` */
function wordsOf(error: Error & { code?: string }, { host }: URL): string {
  const { code, message } = error;
  return code === undefined ? `${host}: ${message}` : `${host} cannot be reached (${code})`;
}
