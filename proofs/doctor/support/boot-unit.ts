/** The unit that starts the daemon of a home at boot, as far as doctor reads it. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLI } from '../../../test/rig/index.js';

const UNIT_FOLDER = '/etc/systemd/system';

export class BootUnit {
  readonly path = join(UNIT_FOLDER, 'upkeep.service');
  readonly #wants = join(UNIT_FOLDER, 'multi-user.target.wants');
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
  }

  install(node: string): void {
    const exec = `ExecStart=${node} ${CLI.replace('bin/upkeep.js', 'dist/daemon.js')}`;
    const unit = ['[Service]', 'Type=notify', `Environment=UPKEEP_HOME=${this.#home}`, exec, ''].join('\n');
    writeFileSync(this.path, unit);
    this.enable();
  }

  enable(): void {
    mkdirSync(this.#wants, { recursive: true });
    this.disable();
    symlinkSync(this.path, join(this.#wants, 'upkeep.service'));
  }

  disable(): void {
    rmSync(join(this.#wants, 'upkeep.service'), { force: true });
  }
}
