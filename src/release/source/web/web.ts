/** Asks servers: again where that may help, for JSON, for whether something is there, and page by page. */
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { formatDuration } from '../../../util/index.js';
import type { Scene } from '../scene.js';
import { exchange, type Answer, type Ask } from './exchange.js';
import { Impassable, Passing, passingOf } from './failure.js';

export interface WebOptions {
  /** In all. @default 5 */
  readonly tries?: number;
  /** Before the second try; doubled for each further one. @default 400 */
  readonly firstWaitMs?: number;
  /** How long a server may be silent. @default 30_000 */
  readonly idleMs?: number;
}

/** What a server answered in JSON, or else said. */
export interface Reply {
  readonly status: number;
  readonly headers: Answer['headers'];
  readonly host: string;
  readonly text: string;
  /** undefined: it is no JSON. */
  readonly body: unknown;
  /** What an error says of itself, for a person. */
  readonly words: string;
}

const MAX_JSON_BYTES = 64 * 1024 ** 2;
const MAX_PAGES = 50;
/** Whoever has to wait longer does so by himself. */
const LONGEST_WAIT_MS = 60_000;
const WORDS = 160;

export class Web {
  readonly scene: Scene;
  readonly tries: number;
  readonly #firstWaitMs: number;
  readonly #idleMs: number;

  constructor(scene: Scene, { tries = 5, firstWaitMs = 400, idleMs = 30_000 }: WebOptions = {}) {
    this.scene = scene;
    this.tries = tries;
    this.#firstWaitMs = firstWaitMs;
    this.#idleMs = idleMs;
  }

  /** Whatever is no passing failure is an answer, 404 too. */
  async read(ask: Ask): Promise<Reply> {
    return this.again(async () => {
      const { status, headers, host, body } = await this.open(ask);
      const text = await readText(body, host);
      const json = parsed(text);
      return { status, headers, host, text, body: json, words: wordsOf(json) };
    });
  }

  /** The head of an answer: whether what is asked for is there. */
  async probe(ask: Ask): Promise<Omit<Answer, 'body'>> {
    return this.again(async () => {
      const { body, ...head } = await this.open(ask);
      body.destroy();
      return head;
    });
  }

  /** All pages of a list; `read` judges what is none. Links of the server are not followed: they may lead anywhere. */
  async pages<T>(ask: Ask, read: (reply: Reply) => readonly T[]): Promise<T[]> {
    const all: T[] = [];
    for (let page = 1; page <= MAX_PAGES; page++) {
      const url = new URL(ask.url);
      url.searchParams.set('per_page', '100');
      url.searchParams.set('page', String(page));
      const reply = await this.read({ ...ask, url });
      all.push(...read(reply));
      const next = reply.headers['x-next-page'];
      if (next === '' || (!next && !/\brel="?next"?/.test(reply.headers.link?.toString() ?? ''))) return all;
    }
    this.scene.remark(
      `${ask.url.host} has more than ${MAX_PAGES * 100} of what was asked for: only the first were looked at`,
    );
    return all;
  }

  /** One try. */
  async open(ask: Ask): Promise<Answer> {
    const { signal, redactor } = this.scene;
    const answer = await exchange(ask, { signal, redactor, idleMs: this.#idleMs });
    const passing = passingOf(answer.status, answer.headers, answer.host);
    if (!passing) return answer;
    answer.body.destroy();
    throw passing;
  }

  /** Until it succeeds, or has failed too often. */
  async again<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof Passing && error.hasAdvanced) attempt = 1;
        await this.#endure(error, attempt);
      }
    }
  }

  async #endure(error: unknown, attempt: number): Promise<void> {
    const { scene } = this;
    scene.signal.throwIfAborted();
    if (error instanceof Impassable) throw scene.error('source-failed', error.message, error.hint);
    if (!(error instanceof Passing)) throw error;
    if (attempt >= this.tries) {
      const fact = `${error.message}, ${this.tries} times in a row`;
      throw scene.error(
        'source-failed',
        fact,
        'see whether that server can be reached from this host, then release again',
      );
    }
    const backoff = this.#firstWaitMs * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
    const waitMs = Math.max(backoff, error.waitMs ?? 0);
    if (waitMs > LONGEST_WAIT_MS) {
      const fact = `${error.message} and wants to be left alone for ${formatDuration(waitMs)}`;
      throw scene.error('source-failed', fact, 'release again after that time');
    }
    scene.say(`${error.message}; try ${attempt + 1} of ${this.tries} in ${formatDuration(waitMs)}`);
    await delay(waitMs, undefined, { signal: scene.signal });
  }
}

/** What a reply is to be like; anything else is told as what it is. */
export function understood<const S extends v.GenericSchema>(
  schema: S,
  { body, status, host, headers }: Reply,
  scene: Scene,
): v.InferOutput<S> {
  const result = v.safeParse(schema, body);
  if (result.success) return result.output;
  const kind =
    body === undefined ? `no JSON (${headers['content-type'] ?? 'of no type'})` : 'JSON of another kind';
  const fact = `${host} answered ${status} with ${kind} where its API was asked`;
  throw scene.error(
    'source-failed',
    fact,
    'see that the url of the source is the one of its API, and that nothing stands between, like a page to sign in',
  );
}

async function readText(body: Answer['body'], host: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_JSON_BYTES)
        throw new Impassable(`${host} answered endlessly`, 'see what stands at that URL');
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Impassable) throw error;
    throw new Passing(`the answer of ${host} broke off`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a page, or nothing
  }
}

/** GitLab says `message` or `error`, sometimes both; GitHub says `message`. */
function wordsOf(body: unknown): string {
  if (typeof body !== 'object' || body === null) return '';
  const { message, error, error_description: more } = body as Record<string, unknown>;
  const words = [message, error, more].filter((word) => typeof word === 'string').join(': ');
  return words.length > WORDS ? `${words.slice(0, WORDS)}…` : words;
}
