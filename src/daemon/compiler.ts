/**
 * Lets V8 wait longer before it compiles a function for speed. What a daemon does for hundreds of services every ten seconds is enough
 * for V8 to think it hot: to compile some ninety functions took three tenths of the processor time of its first minute. A loop over a
 * log is compiled within its first megabytes all the same (notes/idle-daemon.md).
 */
import { setFlagsFromString } from 'node:v8';

/** What a function executes before V8 looks whether it is hot: eight times what it is otherwise. */
const BUDGET_BYTES = 8 * 132 * 1024;

/** A V8 that does not know it says so in daemon.log. */
export function compileLater(): void {
  setFlagsFromString(`--interrupt-budget=${BUDGET_BYTES}`);
}
