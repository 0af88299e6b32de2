/**
 * A machine with a systemd of its own, in a folder: it boots in a second and loses its power at a word. Needs root, Linux
 * and Debian's debootstrap. The installed system is made once and copied for each machine.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childrenByParent, readProcessTable } from '../../../src/system/index.js';
import { Program, until, type Outcome } from '../../../test/rig/index.js';

const BASE = '/var/tmp/upkeep-proof-base';
const PACKAGES = 'systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,polkitd,iproute2,procps';
const BOOT_SCRIPT = fileURLToPath(new URL('boot-root.sh', import.meta.url));
const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
/** What an installation of upkeep consists of. */
const INSTALLED = ['bin', 'dist', 'native', 'package.json'];
const BOOT_MS = 60_000;

export interface User {
  readonly name: string;
  /** 0: root. */
  readonly uid: number;
  readonly home: string;
}

export class SystemdHost implements AsyncDisposable {
  readonly #root: string;
  #first: number | undefined;

  private constructor(root: string) {
    this.#root = root;
  }

  /** With Node.js in /opt/node and this upkeep in /opt/upkeep; not booted. */
  static async create(): Promise<SystemdHost> {
    if (process.getuid?.() !== 0) throw new Error('A machine of its own needs root');
    await ensureBase();
    const root = mkdtempSync(join('/var/tmp', 'upkeep-proof-'));
    await runOrThrow('cp', ['-a', `${BASE}/.`, root]);
    const host = new SystemdHost(root);
    mkdirSync(host.path('/opt/node/bin'), { recursive: true });
    cpSync(process.execPath, host.path('/opt/node/bin/node'));
    for (const part of INSTALLED)
      cpSync(join(PROJECT, part), host.path('/opt/upkeep', part), { recursive: true });
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#first !== undefined) await this.cutPower();
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** Of a file of the machine, seen from here. */
  path(...parts: readonly string[]): string {
    return join(this.#root, ...parts);
  }

  async boot(): Promise<void> {
    const log = openSync(this.path('boot.log'), 'a');
    const outer = spawn(
      'unshare',
      ['--pid', '--mount', '--uts', '--ipc', '--cgroup', '--net', '--fork', 'sh', BOOT_SCRIPT, this.#root],
      { stdio: ['ignore', log, log], detached: true },
    );
    outer.unref();
    this.#first = await until('the machine has a first process', () => firstChild(outer.pid!), BOOT_MS);
    await until('systemd has booted', async () => this.#isUp(), BOOT_MS);
  }

  /** Nothing is told, nothing is written any more. */
  async cutPower(): Promise<void> {
    process.kill(this.#first!, 'SIGKILL');
    await this.#untilOff();
  }

  async shutDown(): Promise<void> {
    await this.run(ROOT, 'systemctl', 'poweroff');
    await this.#untilOff();
  }

  /** As in a shell that no login began: what systemd would set is missing. */
  run(user: User, ...argv: readonly string[]): Promise<Outcome> {
    const as = ['setpriv', `--reuid=${user.uid}`, `--regid=${user.uid}`, '--init-groups'];
    const variables = [
      'PATH=/opt/node/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      `HOME=${user.home}`,
      `USER=${user.name}`,
    ];
    const inside = ['env', '-i', ...variables, ...argv];
    const args = ['-t', String(this.#first), '-a', ...(user.uid === 0 ? [] : as), ...inside];
    return new Program('nsenter', args, { env: process.env, cwd: tmpdir() }).ended;
  }

  /** Answers what it printed; throws where it fails. */
  async do(user: User, ...argv: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(user, ...argv);
    if (code !== 0) throw new Error(`${user.name}: ${argv.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  upkeep(user: User, ...args: readonly string[]): Promise<string> {
    return this.do(user, ...UPKEEP, ...args);
  }

  /** For commands that are to fail. */
  tryUpkeep(user: User, ...args: readonly string[]): Promise<Outcome> {
    return this.run(user, ...UPKEEP, ...args);
  }

  async addUser(name: string): Promise<User> {
    await this.do(ROOT, 'useradd', '--create-home', '--user-group', '--shell', '/bin/sh', name);
    const uid = Number(await this.do(ROOT, 'id', '-u', name));
    return { name, uid, home: `/home/${name}` };
  }

  async #isUp(): Promise<boolean> {
    const { stdout } = await this.run(ROOT, 'systemctl', 'is-system-running');
    return ['running', 'degraded'].includes(stdout.trim());
  }

  async #untilOff(): Promise<void> {
    await until('the machine is off', () => !existsSync(`/proc/${this.#first}`), BOOT_MS);
    this.#first = undefined;
  }
}

export const ROOT: User = { name: 'root', uid: 0, home: '/root' };
const UPKEEP = ['node', '/opt/upkeep/bin/upkeep.js'];

async function ensureBase(): Promise<void> {
  if (existsSync(BASE)) return;
  console.log(`Making ${BASE} with debootstrap, once; this takes a minute`);
  const sites = await runOrThrow('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI)',
    'Created-By: Packages',
  ]);
  const [, release = 'stable'] =
    /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8')) ?? [];
  const half = `${BASE}.new`;
  rmSync(half, { recursive: true, force: true });
  const options = ['--variant=minbase', `--include=${PACKAGES}`];
  await runOrThrow('debootstrap', [...options, release, half, sites.split('\n')[0]!]);
  renameSync(half, BASE);
}

async function runOrThrow(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => (output += String(text)));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`${program} exited with code ${code}:\n${output.slice(-500)}`);
  return output;
}

function firstChild(pid: number): number | undefined {
  return childrenByParent(readProcessTable()).get(pid)?.[0]?.pid;
}
