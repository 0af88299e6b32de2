/** The ways in which a new version can be bad, and what must be said of each. */
export interface BadVersion {
  /** Of its file in app/. */
  readonly name: string;
  /** The message of the failed operation. */
  readonly says: RegExp;
  /** Among the last lines. */
  readonly shows?: RegExp;
}

export const VERSIONS: readonly BadVersion[] = [
  {
    name: 'never-listens',
    says: /not ready within 3s \(nothing listens on port \d+\)$/,
    shows: /still connecting to the database/,
  },
  {
    name: 'exits-at-boot',
    says: /exit code 1 \(Error: DATABASE_URL is not set.*\)$/,
    shows: /DATABASE_URL is not set/,
  },
  {
    name: 'exits-after-3s',
    says: /exit code 3 after it was ready$/,
    shows: /lost the connection to the queue/,
  },
  { name: 'other-port', says: /not ready within 3s \(nothing listens on port \d+; it listens on \d+\)$/ },
  { name: 'answers-500', says: /not verified within 2s \(.* answered 500\)$/ },
  { name: 'hangs-on-the-check', says: /not verified within 2s \(.*no answer within [\d.]+ ms\)$/ },
  { name: 'leaks', says: /memory limit: .* of 150 MB after it was ready$/ },
  { name: 'syntax-error', says: /exit code 1 \(SyntaxError: .*\)$/, shows: /SyntaxError/ },
  {
    name: 'missing-module',
    says: /exit code 1 \(.*\)$/,
    shows: /Cannot find module 'a-module-that-nobody-installed'/,
  },
];
