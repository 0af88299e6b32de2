/** Takes a service of this host out of the traffic that comes from outside, and lets it in again. */
import type { UpkeepError } from '../../protocol/index.js';
import type { Clock } from '../../system/index.js';

/** Everything here can be done again: a daemon that comes after a killed one repeats what that was doing. */
export interface Traffic {
  /**
   * Resolves when nothing more comes; from then on it is kept out, whoever forgets, until `in`. Where nobody else could serve, nothing is
   * done and it rejects: `isLastServer`.
   */
  out(service: string, signal: AbortSignal): Promise<void>;
  /**
   * `share`: percent of its usual weight. Resolves when it is up everywhere; from then on no reload takes it out again. Rejects where
   * one place does not let it in, and the others have.
   */
  in(service: string, share: number, signal: AbortSignal): Promise<void>;
  /**
   * Whether it could go out and come in with this share, found without changing anything; rejects with what is in the way.
   */
  look(service: string, share: number, signal: AbortSignal): Promise<TrafficLook>;
  /** As `close`; but who was to come in and could not be told so is told as soon as that can be done. */
  leave(): void;
  /** Whether it was to come in and could not be told so yet. */
  owes(service: string): boolean;
  /** Nobody is kept out, or in, by this one any more; what is out stays out. */
  close(): void;
}

export interface TrafficLook {
  /** null: nobody can know, or they do not agree. */
  readonly isOut: boolean | null;
  /** Somebody has taken it out already, and `in` would undo that; null: nobody has, or nobody can know. */
  readonly out: UpkeepError | null;
  /** Why `out` would be refused at this moment, because nobody else serves; null: it would not. */
  readonly last: UpkeepError | null;
  /** What was found, for a person, one for each place that decides. */
  readonly places: readonly string[];
}

export interface TrafficOptions {
  readonly clock: Clock;
  /** Of the release group: commands are told. */
  readonly group: string;
  /**
   * What is hidden in what a command has printed.
   * @default secrets of the daemon's environment
   */
  secrets?(): Promise<readonly string[]>;
  /** One line of what is done or was noticed. */
  onProgress(text: string): void;
}
