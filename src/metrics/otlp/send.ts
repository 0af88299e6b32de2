/** One request of OTLP/HTTP, and what its answer means: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response. */
import { request as ask, type IncomingMessage } from 'node:http';
import { request as askSecurely } from 'node:https';
import type { OtlpOptions } from './options.js';

/** Of an answer, what is looked at. */
const MOST_BYTES = 64 * 1024;
const MAY_COME_BACK = new Set([429, 502, 503, 504]);

export type Outcome =
  /** `complaint`: not all of it was. */
  | { readonly is: 'taken'; readonly complaint?: string }
  | { readonly is: 'refused'; readonly why: string }
  /** Worth another try; `afterMs`: not before. */
  | { readonly is: 'failed'; readonly why: string; readonly afterMs?: number };

export interface Sending {
  /** Resolves within `timeoutMs`, never rejects. */
  readonly outcome: Promise<Outcome>;
  /** Gives it up. */
  abort(): void;
}

/** No redirection is followed: headers are for the endpoint alone. */
export function send({ url, headers, timeoutMs }: OtlpOptions, body: string): Sending {
  let abort = (): void => undefined;
  const outcome = new Promise<Outcome>((resolve) => {
    const request = (url.protocol === 'https:' ? askSecurely : ask)(url, {
      method: 'POST',
      agent: false,
      headers: {
        'user-agent': 'upkeep',
        ...headers,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      },
    });
    const end = (said: Outcome): void => {
      clearTimeout(timer);
      resolve(said);
      request.destroy();
    };
    const timer = setTimeout(
      () => end({ is: 'failed', why: `no answer within ${timeoutMs} ms` }),
      timeoutMs,
    ).unref();
    abort = () => end({ is: 'failed', why: 'given up' });
    request.on('error', (error) => end({ is: 'failed', why: error.message }));
    request.on('response', (response) => void read(response).then((text) => end(judge(response, text))));
    request.end(body);
  });
  return { outcome, abort: () => abort() };
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk as Buffer);
      if ((bytes += (chunk as Buffer).length) > MOST_BYTES) break;
    }
  } catch {
    // It breaks off: its status has said enough.
  }
  return Buffer.concat(chunks).toString();
}

function judge({ statusCode = 0, headers }: IncomingMessage, text: string): Outcome {
  if (statusCode >= 200 && statusCode < 300) return { is: 'taken', ...complaintIn(text) };
  const why = `the answer is ${statusCode}`;
  if (!MAY_COME_BACK.has(statusCode)) return { is: 'refused', why };
  const afterMs = waitOf(headers['retry-after']);
  return { is: 'failed', why, ...(afterMs === undefined ? {} : { afterMs }) };
}

/** `partialSuccess`. */
function complaintIn(text: string): { complaint?: string } {
  try {
    const { partialSuccess: part } = JSON.parse(text) as {
      partialSuccess?: { rejectedDataPoints?: string | number; errorMessage?: string };
    };
    const rejected = Number(part?.rejectedDataPoints ?? 0);
    const words = String(part?.errorMessage ?? '').slice(0, 200);
    if (!(rejected > 0) && words === '') return {};
    return { complaint: `${rejected} values were rejected${words && `: ${words}`}` };
  } catch {
    return {}; // empty, or protobuf
  }
}

/** Seconds, or a date. */
function waitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
