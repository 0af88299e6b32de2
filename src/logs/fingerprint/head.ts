/** The line that names an exception: its type and what it says. */

export interface Head {
  readonly type: string | null;
  readonly message: string;
  /** Which line of the record it is. */
  readonly line: number;
}

const PACKAGE = String.raw`(?:[A-Za-z_$][\w$]*(?:\.|::))*`;
const KIND = '(?:Error|Exception|ExceptionGroup|Throwable|Rejection)';
const TYPE = String.raw`${PACKAGE}[\w$]*${KIND}`;
const PREFIX = String.raw`(?:Uncaught (?:exception: )?|Unhandled exception\. |Unhandled rejection |Exception in thread ".*?" |\(node:\d+\) UnhandledPromiseRejectionWarning: (?:Unhandled promise rejection \(rejection id: \d+\): )?)?`;
const TYPED = new RegExp(String.raw`^${PREFIX}\[?(${TYPE})(?: \[\w+\])?(?:: ?(.*)| ?[\]{]*)$`);
/** Right before frames any name may be that of an exception. */
const NAMED = new RegExp(String.raw`^${PREFIX}\[?(${PACKAGE}[A-Z][\w$]*)(?: \[\w+\])?: (.*)$`);
const WITHIN = new RegExp(String.raw`(?:^|[\s([:"'>=-])(${TYPE})(?: \[\w+\])?(?:: (.*)|:?$)`);
const NO_EXCEPTION = /^(?:Trace|Warning|.*Warning)$/;

export function headAt(text: string, line: number): Head | null {
  const found = TYPED.exec(text);
  return found && { type: found[1]!, message: cleaned(found[2] ?? ''), line };
}

/** The one to which the frames from this line on belong. */
export function findHead(lines: readonly string[], firstFrame: number): Head | null {
  for (let line = firstFrame - 1; line >= 0; line--) {
    const head = headAt(lines[line]!, line);
    if (head) return head;
  }
  for (const line of [firstFrame - 1, 0]) {
    const text = lines[line];
    const found = text === undefined ? null : (NAMED.exec(text) ?? WITHIN.exec(text));
    if (found && !NO_EXCEPTION.test(found[1]!))
      return { type: found[1]!, message: cleaned(found[2] ?? ''), line };
  }
  return null;
}

/** Anywhere in a line, as in `failed: TypeError: x is undefined`. */
export function headWithin(text: string): Head | null {
  const found = WITHIN.exec(text);
  return found && { type: found[1]!, message: cleaned(found[2] ?? ''), line: 0 };
}

/** Without what util.inspect puts around an error. */
function cleaned(message: string): string {
  return message.replace(/\]?(?: \{)?$/, (end) => (end.startsWith(']') || end === ' {' ? '' : end)).trim();
}
