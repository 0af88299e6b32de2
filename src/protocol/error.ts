/**
 * The catalogue of what may go wrong for a user: code -> HTTP status -> exit code of the CLI. Whatever is
 * not in it is a bug, is logged with its stack and answered as `internal`.
 */
export const ERRORS = {
  usage: { status: 400, exit: 2 },
  'bad-request': { status: 400, exit: 2 },
  'config-invalid': { status: 422, exit: 3 },
  'config-not-found': { status: 404, exit: 3 },
  'service-not-found': { status: 404, exit: 4 },
  'service-exists': { status: 409, exit: 4 },
  'operation-not-found': { status: 404, exit: 4 },
  'error-not-found': { status: 404, exit: 4 },
  'exit-not-found': { status: 404, exit: 4 },
  'alert-not-found': { status: 404, exit: 4 },
  'route-not-found': { status: 404, exit: 1 },
  'start-failed': { status: 409, exit: 5 },
  'not-ready': { status: 409, exit: 5 },
  'dependency-failed': { status: 409, exit: 5 },
  'stop-failed': { status: 409, exit: 5 },
  'not-running': { status: 409, exit: 5 },
  'not-verified': { status: 409, exit: 5 },
  'upgrade-failed': { status: 409, exit: 5 },
  aborted: { status: 409, exit: 5 },
  superseded: { status: 409, exit: 5 },
  interrupted: { status: 409, exit: 5 },
  'daemon-unreachable': { status: 503, exit: 6 },
  'protocol-mismatch': { status: 426, exit: 6 },
  'boot-failed': { status: 409, exit: 5 },
  'release-not-found': { status: 404, exit: 4 },
  'release-locked': { status: 409, exit: 5 },
  'release-refused': { status: 409, exit: 5 },
  'release-failed': { status: 409, exit: 5 },
  'artifact-not-found': { status: 404, exit: 5 },
  'source-failed': { status: 502, exit: 5 },
  'install-failed': { status: 409, exit: 5 },
  'archive-refused': { status: 422, exit: 5 },
  'extract-failed': { status: 409, exit: 5 },
  unsupported: { status: 501, exit: 7 },
  internal: { status: 500, exit: 1 },
} as const satisfies Record<string, { status: number; exit: number }>;

export type ErrorCode = keyof typeof ERRORS;

export interface UpkeepErrorOptions {
  /** The next step, one line. */
  hint?: string | undefined;
  details?: unknown;
  cause?: unknown;
}

/** `Cannot <verb> "<what>": <fact>`; the next step stands in `hint`. */
export class UpkeepError extends Error {
  override readonly name = 'UpkeepError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, options: UpkeepErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }
}
