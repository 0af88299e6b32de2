/** What all that speaks for a source has at hand: for which group, what it may say, and how it fails. */
import { UpkeepError, type ErrorCode, type SecretSpec } from '../../protocol/index.js';
import { readSecret, SecretError } from '../../system/index.js';
import type { StageContext, StageJob } from '../job.js';
import { Redactor } from './redactor.js';

export class Scene {
  readonly group: string;
  readonly home: string;
  readonly redactor = new Redactor();
  readonly signal: AbortSignal;
  readonly notes: string[] = [];
  readonly #verb: 'resolve' | 'fetch';
  readonly #context: StageContext;

  constructor(verb: 'resolve' | 'fetch', job: StageJob, context: StageContext) {
    this.group = job.spec.name;
    this.home = job.home;
    this.signal = context.signal;
    this.#verb = verb;
    this.#context = context;
  }

  say(progress: string): void {
    this.#context.say(this.redactor.text(progress));
  }

  /** What people should know although it goes on. */
  remark(note: string): void {
    const text = this.redactor.text(note);
    if (!this.notes.includes(text)) this.notes.push(text);
  }

  /** `Cannot fetch a build of "web": <fact>` */
  error(code: ErrorCode, fact: string, hint: string, details?: unknown): UpkeepError {
    const { redactor } = this;
    return new UpkeepError(code, redactor.text(`Cannot ${this.#verb} a build of "${this.group}": ${fact}`), {
      hint: redactor.text(hint),
      details: redactor.deep(details),
    });
  }

  /** Whatever it is, from now on it is shown nowhere. */
  async secret(what: string, value: string | SecretSpec | null): Promise<string | null> {
    if (value === null) return null;
    const text = typeof value === 'string' ? value : await this.#read(what, value);
    this.redactor.add(text);
    if (!/[^\x20-\x7e]/.test(text)) return text;
    throw this.error(
      'source-failed',
      `${what} is not one line of plain text`,
      'write nothing but the token there',
    );
  }

  async #read(what: string, secret: SecretSpec): Promise<string> {
    try {
      const text = (await readSecret(secret)).trim();
      if (text !== '') return text;
      throw new SecretError('file' in secret ? `file ${secret.file}` : 'its command', 'empty');
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      throw this.error(
        'source-failed',
        `${what} cannot be read from ${error.place} (${error.reason})`,
        'file' in secret
          ? 'write the token to that file, readable for the daemon'
          : 'run the command by hand, as the user of the daemon, to see why',
      );
    }
  }
}
