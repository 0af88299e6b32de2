/** POSTs a notice as JSON. A redirection is not followed: it would take the notice, and what the URL knows, elsewhere. */
import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import type { AlertTarget, Notice } from '../../protocol/index.js';
import { readSecret } from '../../system/index.js';
import { fill, placesOf } from '../words.js';
import type { Send } from './main.js';
import { Refused } from './refused.js';

const TIMEOUT_MS = 10_000;

type Webhook = Extract<AlertTarget, { via: 'webhook' }>;

export async function post({ url, body }: Webhook): Promise<Send> {
  const text = 'text' in url ? url.text : (await readSecret(url)).trim();
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new Error('what is to be the URL is none');
  return (notice) =>
    send(new URL(text), JSON.stringify(body === null ? notice : filled(body, notice)), notice.id);
}

function send(url: URL, body: string, id: string): Promise<void> {
  const begin = url.protocol === 'https:' ? requestSecure : requestPlain;
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      // draft-ietf-httpapi-idempotency-key-header: the same for a notice that is sent again.
      'idempotency-key': `"${id}"`,
      'user-agent': 'upkeep',
    };
    const request = begin(url, { method: 'POST', headers, agent: false }, (response) => {
      const { statusCode = 0 } = response;
      response.resume().once('end', () => {
        if (statusCode >= 200 && statusCode < 300) resolve();
        else reject(new (isRefusal(statusCode) ? Refused : Error)(`it answered ${statusCode}`));
      });
    });
    const timer = setTimeout(
      () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)),
      TIMEOUT_MS,
    );
    request.once('error', reject).once('close', () => {
      clearTimeout(timer);
      reject(new Error('it closed the connection')); // settled already where there was an answer
    });
    request.end(body);
  });
}

/** RFC 9110, 15.5: the client is wrong, but where it may try again (408, 425, 429). */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && ![408, 425, 429].includes(status);
}

function filled(value: unknown, notice: Notice): unknown {
  if (typeof value === 'string') return fill(value, placesOf(notice));
  if (Array.isArray(value)) return value.map((each) => filled(each, notice));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, filled(each, notice)]));
}
