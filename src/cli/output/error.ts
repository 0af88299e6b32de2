/** Words a failure in two lines: the fact, and the next step. */
import { UpkeepError } from '../../protocol/index.js';
import { errColors } from './color.js';
import { note } from './print.js';

export interface Worded {
  readonly message: string;
  readonly hint?: string | undefined;
  /** The last lines of a service that failed. */
  readonly lines?: readonly string[] | undefined;
}

export function printError(error: unknown): void {
  if (error instanceof UpkeepError) printFailure(error);
  else printFailure({ message: `Internal error: ${error instanceof Error ? error.stack : String(error)}` });
}

export function printFailure({ message, hint, lines = [] }: Worded): void {
  note(errColors.red(message));
  for (const line of lines) note(errColors.dim(`    | ${line}`));
  if (hint) note(`  ${errColors.bold('hint')}: ${hint}`);
}
