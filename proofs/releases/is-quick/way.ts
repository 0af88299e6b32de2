/** One way to put another version of the shop in place. */
import type { Build } from '../../../test/rig/index.js';

export interface Way extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /** Answers when the tool says that it is done; it may think so of what does not work. */
  release(build: Build): Promise<void>;
  rollback(): Promise<void>;
}
