/** Counts daemons and guardians of a home, all the time. */
import { readCommand, readProcess } from '../../../src/system/index.js';
import { until, type Rig } from '../../../test/rig/index.js';

export class SupervisorWatch implements AsyncDisposable {
  /** Pids, in the order in which they were seen. */
  readonly daemons = new Set<number>();
  /** At the same time. */
  mostDaemons = 0;
  looks = 0;
  readonly #rig: Rig;
  readonly #watching: Promise<unknown>;
  #isOver = false;

  constructor(rig: Rig) {
    this.#rig = rig;
    this.#watching = until('the watch is over', () => (this.#look(), this.#isOver), Infinity);
  }

  /** `[daemons, guardians]` that live at this moment. */
  count(): [number, number] {
    const { daemons, guardians } = this.#find();
    return [daemons.length, guardians.length];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#watching;
  }

  #look(): void {
    const { daemons } = this.#find();
    for (const pid of daemons) this.daemons.add(pid);
    this.mostDaemons = Math.max(this.mostDaemons, daemons.length);
    this.looks++;
  }

  #find(): { daemons: number[]; guardians: number[] } {
    const alive = this.#rig.processes().filter(({ state }) => state !== 'Z');
    const pids = alive.map(({ pid }) => pid);
    const isShim = (pid: number): boolean => readProcess(pid)?.name === 'upkeep-shim';
    const isDaemon = (pid: number): boolean =>
      !isShim(pid) && / \S+\/dist\/daemon\.js/.test(readCommand(pid) ?? '');
    // What a daemon has forked is its copy until it is executed; a daemon is started by a guardian or a command.
    const daemons = alive.filter(({ pid, parent }) => isDaemon(pid) && !isDaemon(parent));
    return {
      daemons: daemons.map(({ pid }) => pid),
      guardians: pids.filter((pid) => isShim(pid) && /^\S+ guard /.test(readCommand(pid) ?? '')),
    };
  }
}
