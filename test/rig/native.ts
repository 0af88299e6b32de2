/** The launcher alone, without a daemon: frames go in, and what launcher and shims say comes back. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createFifo,
  openFifo,
  readProcess,
  readProcessTable,
  shimPath,
  type FifoReader,
  type ProcessRow,
} from '../../src/system/index.js';
import { until } from './until.js';

export interface NativeLaunch {
  readonly argv: readonly string[];
  /** Of the shim: `channel`, `user=…`; the log is `logs/<name>` unless they say another one. */
  readonly options?: readonly string[];
  readonly keys?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class Native {
  readonly folder = mkdtempSync(join(tmpdir(), 'upkeep-native-'));
  /** Whole lines from the FIFO of events. */
  readonly events: string[] = [];
  readonly binary: string;
  #fifo: FifoReader;
  readonly #launcher: ChildProcess;
  readonly #names: string[] = [];
  #rest = '';
  #lastToken = 0;

  /** @default the one of this package, or one with sanitizers, where one looks for a fault */
  constructor(binary = process.env.UPKEEP_TEST_SHIM ?? shimPath()) {
    this.binary = binary;
    const events = join(this.folder, 'events');
    createFifo(events);
    this.#fifo = openFifo(events, (chunk) => this.#onChunk(chunk));
    this.#launcher = spawn(this.binary, ['serve', events], {
      // The fourth is what a shell may have left open: nobody is to inherit it.
      stdio: ['pipe', 'ignore', 'inherit', 'ignore'],
      cwd: this.folder,
    });
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** Answers what the launcher says to it, from `ok` or `failed` on. */
  request(verb: string, key: string, ...words: (string | number)[]): Promise<string> {
    const token = `t${++this.#lastToken}`;
    this.send(verb, token, key, ...words.map(String));
    return this.seen(new RegExp(`^- socket ${token} (.*)`));
  }

  send(...words: readonly string[]): void {
    this.sendRaw(Buffer.from(words.map((word) => `${word}\0`).join('')));
  }

  sendRaw(strings: Buffer): void {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(strings.length);
    this.#launcher.stdin!.write(Buffer.concat([size, strings]));
  }

  /** Answers when the application runs. */
  async launch(name: string, launch: NativeLaunch): Promise<{ pid: number; startTicks: number }> {
    this.launchUnseen(name, launch);
    const [pid, startTicks] = (await this.seen(new RegExp(`^${name} running (.*)`))).split(' ');
    return { pid: Number(pid), startTicks: Number(startTicks) };
  }

  launchUnseen(name: string, { argv, options = [], keys = [], env = {} }: NativeLaunch): void {
    this.#names.push(name);
    const fds = keys.length > 0 ? [`fds=${keys.length}`] : [];
    const log = [`log=${this.path('logs', name)}`, 'log-as=0.1'];
    const run = [this.path(name), this.path('events'), ...log, ...fds, ...options, '--', ...argv];
    const variables = Object.entries({ PATH: process.env.PATH!, ...env }).map(
      ([key, value]) => `${key}=${value}`,
    );
    this.send('launch', keys.join(), String(run.length), ...run, ...variables);
  }

  async shimOf(name: string): Promise<number> {
    return parseInt(await this.seen(new RegExp(`^${name} shim (.*)`)), 10);
  }

  /** Waits for an event, and answers its first group. */
  seen(pattern: RegExp): Promise<string> {
    return until(`an event matches ${pattern}`, () => this.find(pattern));
  }

  find(pattern: RegExp): string | undefined {
    for (const line of this.events) {
      const found = pattern.exec(line);
      if (found) return found[1] ?? found[0];
    }
    return undefined;
  }

  journal(name: string): string[] {
    return readFileSync(this.path(name, 'journal'), 'utf8').trimEnd().split('\n');
  }

  /** What it wrote to stdout until it ended. */
  async out(name: string): Promise<string> {
    await this.seen(new RegExp(`^${name} exited `));
    return this.logged(name);
  }

  logged(name: string, file = 'out.log'): string {
    const path = this.path('logs', name, file);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** As when the daemon is suspended: what is told stays in the FIFO. Answers how it goes on. */
  suspendReader(): () => void {
    const events = this.path('events');
    const fd = openSync(events, constants.O_RDWR | constants.O_NONBLOCK);
    this.#fifo.close();
    return () => {
      this.#fifo = openFifo(events, (chunk) => this.#onChunk(chunk));
      closeSync(fd);
    };
  }

  /** As when the daemon ends. */
  async endLauncher(): Promise<void> {
    if (this.#launcher.exitCode !== null) return;
    const exit = once(this.#launcher, 'exit');
    this.#launcher.stdin!.end();
    await exit;
  }

  /** Ends the application, and lets the shim go; answers what is left of its folder. */
  async end(name: string): Promise<string[] | undefined> {
    const shim = await this.shimOf(name);
    const pid = this.find(new RegExp(`^${name} running (\\d+)`));
    if (pid && !this.find(new RegExp(`^${name} exited`))) kill(Number(pid), 'SIGKILL');
    if (pid) await this.seen(new RegExp(`^${name} exited`));
    kill(shim, 'SIGTERM');
    await until(`shim ${shim} is gone`, () => !isAlive(shim));
    return existsSync(this.path(name)) ? readdirSync(this.path(name)) : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#names) {
      const first = await this.seen(new RegExp(`^${name} (shim|failed)`));
      if (first === 'shim' && existsSync(this.path(name))) await this.end(name);
    }
    await this.endLauncher();
    this.#fifo.close();
    rmSync(this.folder, { recursive: true });
  }

  #onChunk(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString('latin1')).split('\n');
    this.#rest = lines.pop()!;
    this.events.push(...lines);
  }
}

/**
 * Source of a function for applications: waits until a log of the folder ends with the text. What comes after it is read by itself then,
 * however long the shim was kept from its work.
 */
export const UNTIL_LOGGED = `function untilLogged(folder, text) {
  const { readdirSync, readFileSync } = require('fs');
  const end = Buffer.from(text);
  const ends = (name) => readFileSync(folder + '/' + name).subarray(-end.length).equals(end);
  const isThere = () => {
    try {
      return readdirSync(folder).some((name) => name.endsWith('.log') && ends(name));
    } catch {
      return false; // it is moved aside
    }
  };
  while (!isThere()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}`;

/** A program for `launch`; `say(text)` of it is a line over the channel. */
export function node(code: string): string[] {
  const say = `const fs = require('fs'), [U, D] = (process.env.UPKEEP_CHANNEL || '').split(':').map(Number);
    const say = (text) => fs.writeSync(U, text + '\\n');`;
  return [process.execPath, '-e', say + code];
}

export function childrenOf(pid: number): ProcessRow[] {
  return [...readProcessTable().values()].filter((row) => row.parent === pid);
}

export function isAlive(pid: number): boolean {
  const row = readProcess(pid);
  return row !== undefined && row.state !== 'Z';
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has just ended
  }
}
