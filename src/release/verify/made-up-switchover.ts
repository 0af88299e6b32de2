/** Old and new instances that are made up, second by second: for tests of what judges them. */
import type { CheckSpec, ErrorKindDetail, ErrorsView } from '../../protocol/index.js';
import type { SideView, Switchover } from '../../supervisor/index.js';
import type { Clock } from '../../system/index.js';
import type { ReleaseErrors } from './new-kinds.js';

export class MadeUpSwitchover implements Pick<Switchover, 'look' | 'untilFallen' | 'check' | 'whyNoneYet'> {
  readonly asked: string[] = [];
  looks = 0;
  /** Why there are no new ones yet. */
  noneYet: string | undefined;
  smokeAnswer = { isSuccess: true, detail: 'GET /smoke: 200' };
  #fall: ((text: string) => void) | undefined;
  readonly #views: (look: number) => readonly SideView[];

  /** `views`: what is to be seen at the so-manieth look, from 0 on. */
  constructor(views: (look: number) => readonly SideView[]) {
    this.#views = views;
  }

  look(): Promise<readonly SideView[]> {
    return Promise.resolve(this.#views(this.looks++));
  }

  whyNoneYet(): string | undefined {
    return this.noneYet;
  }

  untilFallen(): Promise<string> {
    return new Promise((resolve) => (this.#fall = resolve));
  }

  fall(text: string): void {
    this.#fall?.(text);
  }

  check(
    service: string,
    instance: number,
    _check: CheckSpec,
    timeoutMs: number,
  ): Promise<{ isSuccess: boolean; detail: string }> {
    this.asked.push(`${service}.${instance} within ${timeoutMs} ms`);
    return Promise.resolve(this.smokeAnswer);
  }
}

export function view(seen: Partial<SideView> = {}): SideView {
  return {
    service: 'web',
    instance: 0,
    attempt: seen.side === 'new' ? 2 : 1,
    side: 'old',
    takesTraffic: true,
    pid: 4242,
    rssBytes: 60e6,
    ended: null,
    restarts: 0,
    counts: null,
    ...seen,
  };
}

/** All of them took as long as the tenth bucket says. */
export function counts(requests: number, errors = 0): NonNullable<SideView['counts']> {
  return {
    requests,
    errors,
    unanswered: 0,
    durationMs: requests * 2,
    latency: Array.from({ length: 41 }, (_, at) => (at === 10 ? requests : 0)),
  };
}

/** Time passes at once, as soon as somebody waits for it. */
export class HastyClock implements Clock {
  #now = 5000;

  now(): number {
    return this.#now;
  }

  wall(): Date {
    return new Date(this.#now);
  }

  at(time: number, call: () => void): { cancel(): void } {
    const immediate = setImmediate(() => {
      this.#now = Math.max(this.#now, time);
      call();
    });
    return { cancel: () => clearImmediate(immediate) };
  }
}

export class MadeUpErrors implements ReleaseErrors {
  kinds: readonly ErrorKindDetail[] = [];
  readonly asked: { since: number; withMuted: boolean }[] = [];

  readonly awaited: string[] = [];

  catchUp(writers: Parameters<ReleaseErrors['catchUp']>[0]): Promise<void> {
    this.awaited.push(
      ...writers.map(({ service, instance, attempt }) => `${service}.${instance} ${attempt}`),
    );
    return Promise.resolve();
  }

  list({ services, isNew, since, withMuted }: Parameters<ReleaseErrors['list']>[0]): ErrorsView {
    this.asked.push({ since, withMuted });
    const kinds = this.kinds.filter((each) => services.includes(each.service) && (!isNew || each.isNew));
    return { kinds, services: [] };
  }

  show(id: string, service: string): ErrorKindDetail[] {
    return this.kinds.filter((kind) => kind.id === id && kind.service === service);
  }
}

export function kind(seen: Partial<ErrorKindDetail> = {}): ErrorKindDetail {
  const at = new Date(0).toISOString();
  return {
    service: 'web',
    id: 'v1:3f2a9c',
    title: 'TypeError: x is not a function',
    type: 'TypeError',
    at: 'pay.js:4',
    firstSeenAt: at,
    lastSeenAt: at,
    count: 3,
    countSinceMark: 3,
    perMinute: 1,
    isNew: true,
    mute: null,
    marks: [],
    attempts: [],
    sample: null,
    ...seen,
  };
}
