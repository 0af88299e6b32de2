/** What speaks against the values of a host, in the words of a contract. */
export interface Violation {
  /** `PORT`, `db.host`. */
  readonly key: string;
  readonly problem: 'missing' | 'empty' | 'wrong' | 'unknown';
  /** `is not an integer`: for `wrong`; never with the value. */
  readonly words: string;
}

/** What one contract knows and finds. */
export interface Verdict {
  /** Keys that it knows; null: it does not tell. */
  readonly keys: ReadonlySet<string> | null;
  readonly violations: readonly Violation[];
}

/** A contract that could not be used, with the reason. */
export class ContractFault extends Error {
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}
