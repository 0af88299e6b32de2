/** What the gates of one service have in common. */
import type { ReleaseCheck, VerifySpec } from '../../protocol/index.js';

/** Without the stage, which is that of all of them. */
export type Finding = Omit<ReleaseCheck, 'stage'>;

export interface Comparison {
  /** A comparison may err so often. */
  readonly alpha: number;
  /** Whether it is time to compare; figures are told all the time. */
  readonly isDue: boolean;
}

type Action = VerifySpec['errorRate'];

/** What is done about something bad. */
export function verdictOf(action: Exclude<Action, 'ignore'>): 'failed' | 'warned' {
  return action === 'refuse' ? 'failed' : 'warned';
}
