/** What the services of one user wrote down of their life, and whether the order was right. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';

/** Upper, lower: the lower one is there before, and goes after. */
const RESTS_ON = [
  ['api', 'database'],
  ['web', 'api'],
] as const;

interface Moment {
  readonly at: number;
  readonly what: string;
  readonly service: string;
}

export class Life {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** What was written until now belongs to the past. */
  forget(): void {
    rmSync(this.#path, { force: true });
  }

  assertStartOrder(): void {
    for (const [upper, lower] of RESTS_ON) {
      const [first] = this.#of(upper, 'start');
      const ready = this.#of(lower, 'ready');
      assert.ok(first && ready.length > 0, `${upper} and ${lower} have started`);
      assert.ok(first.at >= ready.at(-1)!.at, `${upper} starts when ${lower} is ready`);
    }
  }

  assertEndOrder(): void {
    for (const [upper, lower] of RESTS_ON) {
      const ends = this.#of(upper, 'end');
      const [asked] = this.#of(lower, 'asked');
      assert.ok(asked && ends.length > 0, `${upper} and ${lower} have ended by themselves`);
      assert.ok(asked.at >= ends.at(-1)!.at, `${lower} is asked to end when ${upper} has ended`);
    }
  }

  #of(service: string, what: string): Moment[] {
    return this.#moments().filter((moment) => moment.service === service && moment.what === what);
  }

  #moments(): Moment[] {
    const text = existsSync(this.#path) ? readFileSync(this.#path, 'utf8') : '';
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [at, what = '', instance = ''] = line.split(' ');
        return { at: Number(at), what, service: instance.split('.')[0]! };
      });
  }
}
