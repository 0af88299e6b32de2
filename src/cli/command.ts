/** What every file in commands/ declares; help, completion and "did you mean" are made from it. */
export interface OptionSpec {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  readonly multiple?: true;
  /** What stands for the value in the help. */
  readonly value?: string;
  readonly description: string;
}
export type Options = Readonly<Record<string, OptionSpec>>;

export type OptionValues<O extends Options> = {
  readonly [K in keyof O]?:
    | (O[K] extends { type: 'boolean' } ? boolean : O[K] extends { multiple: true } ? string[] : string)
    | undefined;
};

/** One command line, taken apart. */
export interface Invocation<O extends Options> {
  readonly values: OptionValues<O>;
  readonly operands: readonly string[];
  /** What follows `--`; undefined without it. */
  readonly rest: readonly string[] | undefined;
}

export interface Command<O extends Options = Options> {
  readonly summary: string;
  /** What follows `upkeep`. */
  readonly usage: string;
  readonly examples?: readonly string[];
  readonly options: O;
  /** What the shell completes the operands with. */
  readonly operands?: 'services' | 'files' | readonly string[];
  /** Answers the exit code; nothing means 0. */
  run(invocation: Invocation<O>): Promise<number | void>;
}

export function defineCommand<const O extends Options>(command: Command<O>): Command<O> {
  return command;
}

export const JSON_OPTION = { type: 'boolean', description: 'print JSON' } as const satisfies OptionSpec;

/** The options of every command that asks for an operation. */
export const OPERATION_OPTIONS = {
  detach: { type: 'boolean', short: 'd', description: 'leave once the daemon has accepted the operation' },
  json: { type: 'boolean', description: 'print the operation as JSON' },
} as const satisfies Options;
