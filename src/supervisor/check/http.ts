/** Asks by HTTP, and judges the answer. */
import { request as ask, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as askSecurely } from 'node:https';
import { connect as connectSecure } from 'node:tls';
import type { CheckSpec, HttpAnswerSpec, TextMatch } from '../../protocol/index.js';
import { connectUnix } from '../../system/index.js';
import { privatePath, wordNobody, type CheckResult, type CheckTarget } from './target.js';

type HttpCheck = Extract<CheckSpec, { on: 'http' }>;

/** Of a body, what is looked at. */
const MOST_BYTES = 1024 ** 2;

export function checkHttp(check: HttpCheck, target: CheckTarget, timeoutMs: number): Promise<CheckResult> {
  const { url, answer } = check;
  const begun = performance.now();
  const route = routeOf(url, target);
  if (!route) return Promise.resolve({ isSuccess: false, detail: wordNobody(url, portOf(url), target) });
  return new Promise((resolve) => {
    const end = (said: string, fault?: string): void =>
      resolve({ isSuccess: fault === undefined, detail: `${url}${said}${fault ?? ''}` });
    const judge = (response: IncomingMessage, body: string): void => {
      const fault = findFault(check, response, { body, tookMs: performance.now() - begun });
      end(` answered ${response.statusCode ?? 0}`, fault);
    };
    const options = { method: answer?.method ?? 'GET', ...route };
    const request = (url.startsWith('https:') ? askSecurely : ask)(url, options, (response) => {
      response.on('error', () => end('', ': the answer breaks off'));
      if (answer?.body) return readBody(response, (body) => judge(response, body));
      judge(response, '');
      // To its end, or the application would take it for a client that has gone.
      response.resume();
    });
    const timer = setTimeout(() => {
      end('', `: no answer within ${timeoutMs} ms`);
      request.destroy();
    }, timeoutMs);
    request.on('error', (error) => end('', `: ${error.message}`));
    request.on('close', () => clearTimeout(timer));
    request.end();
  });
}

interface Seen {
  readonly body: string;
  readonly tookMs: number;
}

/** What is wrong with it, behind "it answered 200". */
function findFault({ status, answer }: HttpCheck, response: IncomingMessage, seen: Seen): string | undefined {
  if (!isExpected(response.statusCode ?? 0, status, answer?.statuses ?? null)) return '';
  if (!answer) return undefined;
  if (answer.body && !matches(seen.body, answer.body)) return `, but ${word(answer.body)} is not in its body`;
  for (const [name, match] of Object.entries(answer.headers)) {
    const value = response.headers[name];
    if (value === undefined) return `, but without the header ${name}`;
    if (!matches(String(value), match)) return `, but ${word(match)} is not in its header ${name}`;
  }
  const { latencyMs } = answer;
  if (latencyMs === null || seen.tookMs <= latencyMs) return undefined;
  return ` in ${Math.round(seen.tookMs)} ms, which is more than ${latencyMs} ms`;
}

function isExpected(code: number, status: number | null, statuses: HttpAnswerSpec['statuses']): boolean {
  if (statuses) return statuses.some(({ from, to }) => code >= from && code <= to);
  return status === null ? code < 400 : code === status;
}

function matches(text: string, match: TextMatch): boolean {
  return 'text' in match ? text.includes(match.text) : new RegExp(match.pattern).test(text);
}

function word(match: TextMatch): string {
  return 'text' in match ? JSON.stringify(match.text) : `/${match.pattern}/`;
}

/** What comes behind the first MiB is read, and not looked at. */
function readBody(response: IncomingMessage, onRead: (body: string) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = (): void => onRead(Buffer.concat(chunks).subarray(0, MOST_BYTES).toString());
  response.on('data', (chunk: Buffer) => {
    if (bytes >= MOST_BYTES) return;
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MOST_BYTES) finish();
  });
  response.on('end', finish);
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return Number(port) || (protocol === 'https:' ? 443 : 80);
}

/** undefined: it leads nowhere. With an agent `createConnection` would not be asked. */
function routeOf(url: string, target: CheckTarget): RequestOptions | undefined {
  const { hostname, protocol } = new URL(url);
  const way = privatePath(hostname, portOf(url), target);
  if (way === 'nobody') return undefined;
  const { path } = way;
  if (path === undefined) return { agent: false };
  // Which name a certificate is for says nothing about whether the instance works.
  if (protocol !== 'https:') return { createConnection: () => connectUnix(path) };
  return { createConnection: () => connectSecure({ socket: connectUnix(path), rejectUnauthorized: false }) };
}
