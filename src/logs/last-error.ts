/**
 * The error that a process ended with, as far as its output tells: the last thing that it wrote to stderr, and short before it
 * ended. An error that it wrote before anything else, or long ago, is no reason.
 */
import type { ErrorReport } from './fingerprint/index.js';
import { readError } from './fingerprint/index.js';
import { RecordAssembler } from './record/index.js';

/** Who shuts down in good order after an error takes no longer, or has something to say meanwhile. */
const MAX_PAUSE_MS = 3000;
/** What an index cannot tell apart, and what a runtime writes when it clears its buffers. */
const SAME_TIME_MS = 100;

/** What runtimes, and the wrappers around them, add when the error is said. */
const EPILOGUE =
  /^\s*$|^Node\.js v\d|^\(Use `node --trace|^exit status \d+$|^npm (?:ERR!|error)|^error Command failed|ELIFECYCLE/;

export interface LastOutput {
  /** Of stderr. */
  readonly lines: readonly string[];
  /** When something was written last; undefined: never. */
  readonly errAt: number | undefined;
  readonly outAt: number | undefined;
  readonly endedAt: number;
}

export function lastError({ lines, errAt, outAt, endedAt }: LastOutput): ErrorReport | null {
  if (errAt === undefined || endedAt - errAt > MAX_PAUSE_MS) return null;
  if (outAt !== undefined && outAt - errAt > SAME_TIME_MS) return null;
  const end = lines.findLastIndex((line) => !EPILOGUE.test(line));
  const assembler = new RecordAssembler();
  for (const line of lines.slice(0, end + 1)) assembler.push(line);
  const record = assembler.flush();
  return record && readError(record, 'err');
}
