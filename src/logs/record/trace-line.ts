/** What single lines of stack traces look like, in Node.js, Python, Java, .NET, Go and Rust. */

const NAME = String.raw`(?:[\w$]+(?:\.|::))*[\w$]*`;
const KIND = '(?:Error|Exception|ExceptionGroup|Throwable|Rejection)';

/** `TypeError: …`, `java.io.IOException`, `AssertionError [ERR_ASSERTION]: …`, `[AggregateError: …] {`. */
export const EXCEPTION_HEAD = new RegExp(
  String.raw`^(?:Uncaught |Unhandled exception\. |Exception in thread ".*?" )?\[?${NAME}${KIND}(?: \[\w+\])?(?:: |:?$|\]| \{$)`,
);
/** With its package, as Java and .NET print it: no sentence begins like that. */
export const QUALIFIED_HEAD = new RegExp(String.raw`^(?:[\w$]+\.)+[\w$]*${KIND}[\w$]*(?::|$)`);
export const FRAME = /^[ \t]*(?: {2}|\t)at \S/;

/** What Node prints above the source line of an uncaught exception. */
export const NODE_PLACE =
  /^(?:node:\S+|.*\.[cm]?[jt]sx?|evalmachine\.<anonymous>|<anonymous_script>|\[\w+\](?:-wrapper)?):\d+$/;
export const CARET = /^[ \t]*\^+[ \t]*$/;
export const NODE_VERSION = /^Node\.js v\d/;
export const NODE_REMARK =
  /^(?:Emitted '.*' event .*at:|Emitted '.*' event at:|Thrown at:|\(Use `node --trace-.*)$/;

export const PYTHON_TRACEBACK = /^Traceback \(most recent call last\):$/;
export const PYTHON_GROUP = /^\s+\+ Exception Group Traceback \(most recent call last\):$/;
export const PYTHON_LINK =
  /^(?:During handling of the above exception, another|The above exception was the direct cause)/;
/** Stands above a traceback that no logger announced. */
export const PYTHON_ANNOUNCEMENT =
  /^(?:Exception in |Exception ignored in|Unhandled exception in |.* exception was never retrieved$|future: |handle: )/;
/** How databases go on in the message of an exception. */
export const PYTHON_DETAIL = /^(?:\[SQL: |\[parameters: |\(Background on |(?:DETAIL|HINT|CONTEXT|LINE \d+):)/;

export const JAVA_CAUSE = /^(?:Caused by|Wrapped by): /;
/** The first of the two lines of java.util.logging. */
export const JAVA_LOGGING = /^[A-Z][a-z]{2} \d\d?, \d{4} \d\d?:\d\d:\d\d [AP]M \S+(?: \S+)?$/;

export const GO_PANIC = /^(?:panic: |fatal error: )|: panic serving \S+: /;
export const GO_LINE =
  /^(?:goroutine \d+ .*\[.*\]:$|\[signal |created by |exit status \d|runtime stack:$|\[originating from |\.\.\.|panic: |\S+\(.*\)$)/;

export const RUST_PANIC = /^thread '.*' (?:\(\d+\) )?panicked at /;
export const RUST_LINE = /^(?:stack backtrace:|note: )/;

export const CLOSES = /^[}\])]+[,;]?$/;
export const OPENS = /[{[(]$/;
/** What no message of an exception goes on with. */
export const TIME_OR_PROCESS =
  /^(?:[[(]?\d{4}[-/]\d\d|[[(]?\d\d:\d\d:\d\d|[A-Z][a-z]{2} +\d+,? [\d:]|\(node:\d+\))/;

/** Spaces and tabs at the start of a line; -1 where there is nothing else. */
export function indentOf(line: string): number {
  for (let at = 0; at < line.length; at++) {
    const code = line.charCodeAt(at);
    if (code !== 0x20 && code !== 0x09) return at;
  }
  return -1;
}
