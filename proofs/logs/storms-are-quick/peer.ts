/** Who runs the writers. */
export interface Writer {
  readonly name: string;
  readonly command: readonly string[];
}

export interface Peer {
  readonly name: string;
  /** They wait for the storm to begin. */
  start(writers: readonly Writer[]): Promise<void>;
  /** What a person asks while it storms; null: there is nobody to ask. */
  readonly list: Command | null;
  /** The processes that it adds for the time of the storm, by what they are. */
  processes(): Readonly<Record<string, readonly number[]>>;
  /** The log of a writer, the oldest file first. */
  files(writer: Writer): string[];
  stop(): Promise<void>;
}

export interface Command {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}
