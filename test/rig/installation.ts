/** A copy of the built upkeep, whose files can be broken, and which may call itself another version. */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CLI } from './paths.js';
import { Program, type Outcome } from './program.js';
import type { Rig } from './rig.js';

const SOURCE = dirname(dirname(CLI));

export interface InstallationOptions {
  /** @default the present one */
  readonly version?: string;
  /** What runs the commands, and so the daemon. @default this Node */
  readonly node?: string;
}

export class Installation {
  readonly root: string;
  /** The bundle of the daemon. */
  readonly daemon: string;
  readonly #rig: Rig;
  readonly #node: string;

  constructor(rig: Rig, name: string, { version, node = process.execPath }: InstallationOptions = {}) {
    this.#rig = rig;
    this.#node = node;
    this.root = join(rig.folder, name);
    this.daemon = join(this.root, 'dist', 'daemon.js');
    for (const part of ['bin', 'dist', 'native', 'package.json'])
      cpSync(join(SOURCE, part), join(this.root, part), { recursive: true });
    symlinkSync(join(SOURCE, 'node_modules'), join(this.root, 'node_modules'));
    if (version !== undefined) this.#setVersion(version);
  }

  /** Replaces code of the daemon; answers how to undo that. */
  rewrite(before: string | RegExp, after: string): () => void {
    const whole = readFileSync(this.daemon, 'utf8');
    const broken = whole.replace(before, after);
    if (broken === whole) throw new Error(`The daemon has no ${String(before)}`);
    writeFileSync(this.daemon, broken);
    return () => writeFileSync(this.daemon, whole);
  }

  /** Runs a command of it to its end. */
  cli(...args: string[]): Promise<Outcome> {
    const { env, folder } = this.#rig;
    const command = [join(this.root, 'bin', 'upkeep.js'), ...args];
    return new Program(this.#node, command, { env, cwd: join(folder, 'app') }).ended;
  }

  #setVersion(version: string): void {
    const path = join(this.root, 'package.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(path, JSON.stringify({ ...manifest, version }));
  }
}
