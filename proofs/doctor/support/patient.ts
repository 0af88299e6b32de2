/** A machine with one home, one healthy service that a configuration file describes, and a unit that starts it at boot. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceConfig } from '../../../src/config/index.js';
import type { Finding, Report } from '../../../src/doctor/index.js';
import { app, CLI, freePort, Program, Rig, type Outcome } from '../../../test/rig/index.js';
import { BootUnit } from './boot-unit.js';
import type { Place } from './isolation.js';

export interface Diagnosis extends Report {
  readonly exitCode: number | null;
  readonly fixed: readonly Finding[];
}

export class Patient {
  readonly rig: Rig;
  readonly place: Place;
  /** That the healthy service listens on. */
  readonly port: number;
  readonly unit: BootUnit;

  private constructor(rig: Rig, place: Place, port: number) {
    this.rig = rig;
    this.place = place;
    this.port = port;
    this.unit = new BootUnit(rig.home.path);
  }

  static async create(place: Place): Promise<Patient> {
    const patient = new Patient(await Rig.create(), place, await freePort());
    chmodSync(patient.rig.folder, 0o755);
    patient.installCommand();
    patient.unit.install(process.execPath);
    await patient.up();
    return patient;
  }

  get home(): string {
    return this.rig.home.path;
  }

  get configFile(): string {
    return join(this.rig.folder, 'app', 'upkeep.config.json');
  }

  web(): ServiceConfig {
    return { script: app('serves-http.cjs'), env: { PORT: String(this.port) }, port: this.port };
  }

  /** The healthy service, and these; whatever becomes of them. */
  async up(services: Record<string, ServiceConfig> = {}): Promise<void> {
    await this.rig.up({ web: this.web(), ...services });
  }

  async pidOf(service: string): Promise<number> {
    const { pid } = await this.rig.untilInstance(service, (instance) => instance.pid !== null);
    return pid!;
  }

  async diagnose(...options: readonly string[]): Promise<Diagnosis> {
    const { code, stdout, stderr } = await this.rig.cli('doctor', '--json', ...options);
    if (stdout === '') throw new Error(`upkeep doctor says nothing: ${stderr}`);
    return { ...(JSON.parse(stdout) as Report & { fixed: Finding[] }), exitCode: code };
  }

  /** A command line as the user would paste it. */
  async shell(command: string): Promise<Outcome> {
    const env = { ...this.rig.env, PATH: `${this.place.folder}:${this.rig.env['PATH']}` };
    return new Program('/bin/sh', ['-c', command], { env, cwd: join(this.rig.folder, 'app') }).ended;
  }

  /** A program beside upkeep, for as long as the machine lives; it says `ready` when it is. */
  async start(command: string, args: readonly string[], options: StartOptions = {}): Promise<ChildProcess> {
    const child = spawn(command, args, {
      cwd: this.place.folder,
      stdio: ['ignore', 'pipe', 'inherit'],
      ...options,
    });
    await once(child.stdout, 'data');
    return child;
  }

  /** What a daemon of PM2 looks like from outside: its title, and applications below it. */
  async startPm2(home: string, applications: readonly string[], node = process.execPath): Promise<number> {
    const script = join(this.place.folder, 'god.cjs');
    writeFileSync(script, GOD);
    const child = await this.start(node, [script, home, ...applications]);
    return child.pid!;
  }

  /** A Node.js of its own, which can be replaced and deleted. */
  copyNode(name = 'node'): string {
    const folder = join(this.place.folder, 'runtimes');
    mkdirSync(folder, { recursive: true });
    const path = join(folder, name);
    copyFileSync(process.execPath, path);
    chmodSync(path, 0o755);
    return path;
  }

  write(name: string, text: string, mode = 0o600): string {
    return this.rig.write(name, text, mode);
  }

  readConfig(): string {
    return readFileSync(this.configFile, 'utf8');
  }

  /** `upkeep` in the shell. */
  installCommand(): void {
    const path = join(this.place.folder, 'upkeep');
    writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`, { mode: 0o755 });
  }
}

export interface StartOptions {
  readonly uid?: number;
  readonly gid?: number;
  readonly env?: NodeJS.ProcessEnv;
}

const GOD = `
const { spawn } = require('node:child_process');
const [, , home, ...scripts] = process.argv;
for (const script of scripts) spawn(process.execPath, [script], { stdio: 'ignore' });
process.title = 'PM2 v6.0.5: God Daemon (' + home + ')';
setInterval(() => undefined, 1e6);
console.log('ready');
`;
