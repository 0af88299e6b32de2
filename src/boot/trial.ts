/**
 * `upkeep boot test`: shows without a boot that the unit works. Its very text, with a temporary home in the place of the
 * real one, becomes a unit that exists until the next boot; systemd starts it, and it has to do all that is asked of it.
 */
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectOnly, homeFrom, runTool, scopeArguments, showUnit, systemctl } from '../client/index.js';
import { UpkeepError, type OperationRequest, type ServiceSpec } from '../protocol/index.js';
import { planInstall, requireSystemd } from './install.js';
import { refuseUnprivileged } from './remove.js';
import { relocatedUnit } from './systemd-unit.js';
import type { Target } from './target.js';
import { readUnit } from './unit-file.js';

const DEADLINE_MS = 30_000;
const PAUSE_MS = 50;
const SHOWN_LINES = 5;

export interface TrialOptions {
  /** Runs under the daemon of the trial. */
  readonly probe: ServiceSpec;
  onStep(what: string): void;
}

export async function tryUnit(target: Target, { probe, onStep }: TrialOptions): Promise<void> {
  requireSystemd();
  refuseUnprivileged(target);
  const installed = readUnit(target);
  const trial = new Trial(target, installed ?? planInstall(target).text);
  onStep(
    installed === undefined ? 'nothing is installed: the unit that would be' : `the unit ${target.path}`,
  );
  try {
    await trial.verify();
    onStep('systemd-analyze has nothing against it');
    await trial.start();
    onStep('systemd starts the daemon, which says that it is ready');
    const pid = await trial.runService(probe);
    await trial.restart();
    await trial.validateService(pid, 'a restart of the unit');
    onStep('a restart of the unit leaves services alone');
    await trial.killDaemon();
    await trial.validateService(pid, 'the death of the daemon');
    onStep('a daemon that is killed comes back, and leaves services alone');
  } finally {
    await trial.clearAway();
  }
  onStep('nothing of the trial is left');
}

class Trial {
  readonly #scope: Target['scope'];
  readonly #unit = `upkeep-boot-test-${process.pid}.service`;
  readonly #path: string;
  readonly #folder: string;
  readonly #home: Target['home'];

  constructor({ scope, home, account, path }: Target, text: string) {
    this.#scope = scope;
    this.#folder = mkdtempSync(join(tmpdir(), 'upkeep-boot-'));
    if (process.getuid?.() === 0) chownSync(this.#folder, account.uid, account.gid);
    this.#home = homeFrom({ UPKEEP_HOME: this.#folder });
    const units = scope === 'user' ? `/run/user/${account.uid}/systemd/user` : '/run/systemd/system';
    this.#path = join(units, this.#unit);
    mkdirSync(units, { recursive: true });
    writeFileSync(this.#path, relocatedUnit(text, home.path, this.#folder));
    // Changes by hand are part of what would be started.
    if (existsSync(`${path}.d`)) cpSync(`${path}.d`, `${this.#path}.d`, { recursive: true });
  }

  async verify(): Promise<void> {
    const { code, said } = await runTool('systemd-analyze', [
      ...scopeArguments(this.#scope),
      'verify',
      this.#path,
    ]);
    if (code === 127) throw failed('systemd-analyze is not there', 'install systemd completely');
    if (code !== 0) throw failed(`systemd-analyze verify says: ${said}`, REPAIR);
  }

  async start(): Promise<void> {
    await systemctl(this.#scope, 'daemon-reload');
    await systemctl(this.#scope, 'start', '--no-block', this.#unit);
    await this.#untilActive('start it');
  }

  async runService(probe: ServiceSpec): Promise<number> {
    const body: OperationRequest = { kind: 'up', services: [probe], create: true };
    for await (const { status, steps } of this.#client.stream('request', { body })) {
      const failure = steps.find((step) => step.failure)?.failure;
      if (status === 'failed') throw failed(`its daemon runs no service: ${failure?.message}`, REPAIR);
    }
    return (await this.#findService()) ?? 0;
  }

  async restart(): Promise<void> {
    const { pid } = await this.#client.call('daemon');
    await systemctl(this.#scope, 'restart', '--no-block', this.#unit);
    await this.#untilReplaced(pid, 'restart it');
  }

  async killDaemon(): Promise<void> {
    const { pid } = await this.#client.call('daemon');
    process.kill(pid, 'SIGKILL');
    await this.#untilReplaced(pid, 'start it again after its death');
  }

  async validateService(pid: number, what: string): Promise<void> {
    const now = await this.#findService();
    if (now !== pid)
      throw failed(`${what} changed the pid of a service from ${pid} to ${now ?? 'none'}`, REPAIR);
  }

  /** Whatever the trial came to: nothing of it lives on. */
  async clearAway(): Promise<void> {
    await systemctl(this.#scope, 'stop', '--no-block', this.#unit);
    await systemctl(this.#scope, 'kill', '--signal=KILL', this.#unit);
    await systemctl(this.#scope, 'stop', this.#unit);
    for (const path of [this.#path, `${this.#path}.d`]) rmSync(path, { recursive: true, force: true });
    await systemctl(this.#scope, 'daemon-reload');
    await systemctl(this.#scope, 'reset-failed', this.#unit);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #client(): ReturnType<typeof connectOnly> {
    return connectOnly(this.#home);
  }

  async #findService(): Promise<number | undefined> {
    const [service] = await this.#client.call('services');
    return service?.instances[0]?.pid ?? undefined;
  }

  async #untilReplaced(pid: number, what: string): Promise<void> {
    const isAnother = async (): Promise<boolean> =>
      this.#client.call('daemon').then(
        (daemon) => daemon.pid !== pid,
        () => false,
      );
    await this.#until(isAnother, what);
  }

  async #untilActive(what: string): Promise<void> {
    await this.#until(async () => {
      const { ActiveState } = await showUnit(this.#scope, this.#unit, 'ActiveState');
      return ActiveState === 'active';
    }, what);
  }

  /** A unit that restarts for ever never fails: the first end of its process is the end of the trial. */
  async #until(look: () => Promise<boolean>, what: string): Promise<void> {
    for (const end = performance.now() + DEADLINE_MS; !(await look()); await delay(PAUSE_MS)) {
      const { Result = '', NRestarts } = await showUnit(this.#scope, this.#unit, 'Result', 'NRestarts');
      const isBroken = Result !== 'success' && Number(NRestarts) > 1;
      if (isBroken || performance.now() > end) throw await this.#explain(what, Result);
    }
  }

  async #explain(what: string, result: string): Promise<UpkeepError> {
    const log = existsSync(this.#home.log) ? readFileSync(this.#home.log, 'utf8').trim().split('\n') : [];
    const own = [...(await this.#journal('--identifier=upkeep')), ...log].filter(Boolean);
    const lines = own.length > 0 ? own : await this.#journal();
    const shown = [...new Set(lines)].slice(-SHOWN_LINES).map((line) => `\n    ${line}`);
    const fact = result === 'success' ? `it took longer than ${DEADLINE_MS / 1000} s` : `result "${result}"`;
    const words = shown.length > 0 ? `; last words:${shown.join('')}` : '';
    return failed(`systemd cannot ${what}: ${fact}${words}`, REPAIR);
  }

  async #journal(...filters: readonly string[]): Promise<string[]> {
    const unit = this.#scope === 'user' ? '--user-unit' : '--unit';
    const shown = ['--lines=20', '--output=cat', '--no-pager', '--quiet'];
    const { stdout } = await runTool('journalctl', [`${unit}=${this.#unit}`, ...shown, ...filters]);
    return stdout.trim().split('\n').filter(Boolean);
  }
}

const REPAIR = 'write the unit anew: upkeep boot install';

function failed(fact: string, hint: string): UpkeepError {
  return new UpkeepError('boot-failed', `Cannot pass the boot test: ${fact}`, { hint });
}
