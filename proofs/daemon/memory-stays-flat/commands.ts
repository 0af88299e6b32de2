/** A mixture of commands, as people and scripts give them; some are killed before they have ended. */
import assert from 'node:assert/strict';
import { until, type Rig } from '../../../test/rig/index.js';

interface Command {
  readonly args: readonly string[];
  /** Killed as soon as it has said something. */
  readonly isCutOff?: boolean;
}

/** The commands of one worker: guests come and go, and nobody else touches them. */
export class Commands {
  readonly #rig: Rig;
  readonly #guest: string;
  readonly #names: readonly string[];
  #count = 0;

  constructor(rig: Rig, worker: number, names: readonly string[]) {
    this.#rig = rig;
    this.#guest = `guest-${worker}`;
    this.#names = names;
  }

  /** Runs the next one to its end. */
  async next(): Promise<void> {
    const number = this.#count++;
    const commands = this.#commands(this.#names[number % this.#names.length]!);
    const { args, isCutOff = false } = commands[number % commands.length]!;
    const program = this.#rig.follow(...args);
    if (isCutOff) {
      const { process } = program;
      await until(
        `${args.join(' ')} says something`,
        () => program.stdout !== '' || process.exitCode !== null,
      );
      process.kill('SIGKILL');
    }
    const { code, signal, stderr } = await program.ended;
    assert.ok(
      code === 0 || (isCutOff && signal === 'SIGKILL'),
      `upkeep ${args.join(' ')}: ${code} ${stderr}`,
    );
  }

  #commands(name: string): Command[] {
    const guest = this.#guest;
    return [
      { args: ['list'] },
      { args: ['show', name] },
      { args: ['start', 'echo hello; exec sleep 1000000', '--name', guest] },
      { args: ['logs', name] },
      { args: ['events', '--json'] },
      { args: ['stop', guest] },
      { args: ['list', '--json'] },
      { args: ['operations'] },
      { args: ['start', guest] },
      { args: ['scale', guest, '3'] },
      { args: ['show', name, '--json'] },
      { args: ['signal', guest, 'CONT'] },
      { args: ['logs', guest, '--follow'], isCutOff: true },
      { args: ['events', '-f', '-n', '5'], isCutOff: true },
      { args: ['scale', guest, '1'] },
      { args: ['env', name] },
      { args: ['restart', guest] },
      { args: ['restart', name] },
      { args: ['daemon', 'status'] },
      { args: ['delete', guest] },
    ];
  }
}
