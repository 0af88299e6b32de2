/** The services of one user on the machine, and what is asked of their boot. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BootStatus } from '../../../src/boot/index.js';
import type { ServiceView } from '../../../src/protocol/index.js';
import { until, type Outcome } from '../../../test/rig/index.js';
import { ROOT, type SystemdHost, type User } from '../support/systemd-host.js';
import { Life } from './life.js';

const APPS = fileURLToPath(new URL('.', import.meta.url));
const FILES = ['app.js', 'upkeep.config.json'];
const SETTLE_MS = 30_000;

export class Site {
  readonly life: Life;
  readonly user: User;
  /** Who asks for the boot: the user, or root for the user. */
  readonly installer: User;
  readonly #host: SystemdHost;

  constructor(host: SystemdHost, user: User, installer = user) {
    this.#host = host;
    this.user = user;
    this.installer = installer;
    this.life = new Life(host.path(user.home, 'shop', 'life.log'));
  }

  get isMachines(): boolean {
    return this.installer.uid === 0;
  }

  get unit(): string {
    return this.user === this.installer ? 'upkeep.service' : `upkeep-${this.user.name}.service`;
  }

  get #unitPath(): string {
    return join(
      this.isMachines ? '/etc/systemd/system' : `${this.user.home}/.config/systemd/user`,
      this.unit,
    );
  }

  async deploy(): Promise<void> {
    const folder = `${this.user.home}/shop`;
    await this.#host.do(this.user, 'mkdir', '-p', folder);
    for (const file of FILES) cpSync(`${APPS}/${file}`, this.#host.path(folder, file));
    await this.#host.upkeep(this.user, 'up', folder);
    await this.#host.upkeep(this.user, 'stop', 'off');
  }

  upkeep(...args: readonly string[]): Promise<string> {
    return this.#host.upkeep(this.user, ...args);
  }

  /** `upkeep boot <action>`. */
  boot(action: string, ...options: readonly string[]): Promise<Outcome> {
    const user = this.user === this.installer ? [] : ['--user', this.user.name];
    return this.#host.tryUpkeep(this.installer, 'boot', action, ...user, ...options);
  }

  async bootOrThrow(action: string): Promise<void> {
    const { code, stderr } = await this.boot(action);
    assert.equal(code, 0, `${this.user.name}: boot ${action}: ${stderr}`);
  }

  systemctl(...args: readonly string[]): Promise<string> {
    if (this.isMachines) return this.#host.do(ROOT, 'systemctl', ...args);
    const runtime = `XDG_RUNTIME_DIR=/run/user/${this.user.uid}`;
    return this.#host.do(this.user, 'env', runtime, 'systemctl', '--user', ...args);
  }

  async bootStatus(): Promise<BootStatus> {
    const { stdout } = await this.boot('status', '--json');
    return JSON.parse(stdout) as BootStatus;
  }

  /** The status of every instance, by its name. */
  async states(): Promise<Record<string, string>> {
    return this.#perInstance(({ status }) => status);
  }

  async pids(): Promise<Record<string, number | null>> {
    return this.#perInstance(({ pid }) => pid);
  }

  /** Until every instance is as it was. */
  async untilStates(expected: Record<string, string>): Promise<void> {
    let seen = '';
    const look = async (): Promise<boolean> => {
      seen = JSON.stringify(await this.states());
      return seen === JSON.stringify(expected);
    };
    await until('all is as before', look, SETTLE_MS).catch((cause: unknown) => {
      throw new Error(`${this.user.name}: ${seen} instead of ${JSON.stringify(expected)}`, { cause });
    });
  }

  /** The test is passed by the unit as it is, and by no spoilt one; answers what it said of each. */
  async assertTestSees(breakages: Readonly<Record<string, Breakage>>): Promise<string[]> {
    await this.bootOrThrow('test');
    const path = this.#host.path(this.#unitPath);
    const text = readFileSync(path, 'utf8');
    const answers: string[] = [];
    for (const [name, { spoil, says }] of Object.entries(breakages)) {
      const spoilt = spoil(text);
      assert.notEqual(spoilt, text, `${name}: it is another unit`);
      writeFileSync(path, spoilt);
      const { code, stderr } = await this.boot('test');
      assert.equal(code, 5, `${this.user.name}: boot test fails with ${name}, but said ${stderr}`);
      assert.match(stderr, says, name);
      answers.push(`${name}: ${stderr.split('\n  hint')[0]!.replaceAll(/\s*\n\s*/g, ' ')}`);
    }
    writeFileSync(path, text);
    await this.bootOrThrow('test');
    return answers;
  }

  /** Neither files nor links nor units are left of an installation. */
  async assertNothingLeft(): Promise<void> {
    const { home, name } = this.user;
    assert.ok(!existsSync(this.#host.path(home, '.upkeep', 'boot.json')), 'no note in the home');
    const places = ['/etc/systemd', '/run/systemd/system', '/var/lib/systemd', `${home}/.config`];
    const { stdout } = await this.#host.run(ROOT, 'find', ...places, '-name', this.unit);
    assert.equal(stdout, '', 'no file or link of the unit');
    const loaded = ['list-units', '--all', '--plain', '--no-legend', '--state=loaded', this.unit];
    if (this.isMachines) assert.equal(await this.systemctl(...loaded), '', 'no unit');
    assert.ok(!existsSync(this.#host.path('/var/lib/systemd/linger', name)), 'no linger');
  }

  async #perInstance<T>(view: (instance: ServiceView['instances'][number]) => T): Promise<Record<string, T>> {
    const services = JSON.parse(await this.upkeep('list', '--json')) as ServiceView[];
    const rows = services.flatMap((service) =>
      service.instances.map((instance) => [`${service.name}.${instance.index}`, view(instance)] as const),
    );
    return Object.fromEntries(rows);
  }
}

export interface Breakage {
  spoil(text: string): string;
  readonly says: RegExp;
}
