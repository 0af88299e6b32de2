/** A machine whose power goes: its disk keeps what had reached it, and all of its processes are gone. Then it is booted again. */
import { existsSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readProcess, readTree, sendSignal, type ProcessId } from '../../../src/system/index.js';
import { until, type Rig } from '../../../test/rig/index.js';
import type { Disk } from './disk.js';

export class Machine {
  readonly #rig: Rig;
  readonly #disk: Disk;

  /** The home of the rig is the disk. */
  constructor(rig: Rig, disk: Disk) {
    this.#rig = rig;
    this.#disk = disk;
  }

  /** `options`: how the disk is mounted then. */
  async cutPowerAndBoot(options?: string): Promise<void> {
    this.#disk.cut();
    await this.end();
    await this.#disk.unmount();
    this.#disk.mount(options);
    // The next boot of a machine has another name; this kernel goes on.
    const boot = join(this.#rig.home.path, 'run', 'boot');
    if (existsSync(boot)) writeFileSync(boot, 'the boot before');
    await this.#rig.startDaemon();
  }

  /** Whatever lives, by SIGKILL. */
  async end(): Promise<void> {
    await until('nothing of the machine lives', () => this.killAll() === 0);
  }

  /** Answers how many there were. */
  killAll(): number {
    const living = this.#living();
    for (const id of living) sendSignal(id, 'SIGKILL');
    return living.length;
  }

  /** What knows the home or has something of it open, and what they have started. */
  #living(): ProcessId[] {
    const ofHome = this.#rig.processes();
    const users = pids().filter((pid) => uses(pid, this.#disk.mountPoint));
    const roots = [...ofHome, ...users.flatMap((pid) => readProcess(pid) ?? [])];
    return [...roots, ...roots.flatMap(({ pid }) => readTree(pid))];
  }
}

function pids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function uses(pid: number, folder: string): boolean {
  return linksOf(pid).some((path) => path === folder || path.startsWith(`${folder}/`));
}

function linksOf(pid: number): string[] {
  try {
    const fds = readdirSync(`/proc/${pid}/fd`).map((fd) => `fd/${fd}`);
    return ['cwd', 'exe', ...fds].map((name) => readLink(`/proc/${pid}/${name}`));
  } catch {
    return []; // it has ended
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // it was closed meanwhile
  }
}
