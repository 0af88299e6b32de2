/** Hears of it when one of the new instances is no longer what it was found to be. */
import type { ExitView } from '../../protocol/index.js';
import type { Instance } from '../instance.js';
import type { Service } from '../service.js';
import { hasDoneItsWork, wordEnd } from '../trial.js';

export interface FallWish {
  readonly services: readonly Service[];
  /** undefined: nobody has fallen. */
  look(): string | undefined;
  /** Nobody asks any more. */
  readonly signal: AbortSignal;
}

export function untilFallen({ services, look, signal }: FallWish): Promise<string> {
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  return new Promise((resolve) => {
    const tell = (): void => {
      over.abort();
      resolve(look()!);
    };
    // Who asks no longer is told nothing.
    for (const service of services)
      service.until(() => look() !== undefined, both).then(tell, () => undefined);
  });
}

/** By a person, or whatever asks for operations. */
function isMeant({ askedBy }: ExitView): boolean {
  return askedBy !== null && !askedBy.startsWith('upkeep: ');
}

/** How an instance that serves has fallen since its attempt of this number, other than on request. */
export function wordFallSince(instance: Instance, attempt: number): string | undefined {
  const { exit, whyUnhealthy, spec } = instance;
  if (hasDoneItsWork(instance, spec)) return undefined;
  if (exit && exit.attempt >= attempt && !isMeant(exit)) return wordEnd(exit);
  return whyUnhealthy;
}
