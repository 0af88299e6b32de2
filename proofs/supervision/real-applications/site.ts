/** Where the proof runs: applications installed once for all runs, and a folder of its own for each run. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { NPM_PROJECTS, WRITTEN_PORT } from './applications.js';

const run = promisify(execFile);
const SOURCES = fileURLToPath(new URL('apps', import.meta.url));
const CACHE = process.env['UPKEEP_PROOF_CACHE'] ?? join(tmpdir(), 'upkeep-proof-apps');
const UPKEEP = fileURLToPath(new URL('../../../bin/upkeep.js', import.meta.url));
const COMMAND_TIMEOUT_MS = 120_000;

export interface Site {
  /** Everything of this run; removed if all went well. */
  readonly root: string;
  /** Holds the configuration file and a folder for each application. */
  readonly folder: string;
  /** UPKEEP_HOME. */
  readonly home: string;
  readonly upkeep: (...args: string[]) => Promise<string>;
}

export async function createSite(basePort: number): Promise<Site> {
  for (const project of NPM_PROJECTS) await install(project);
  const root = await mkdtemp(join(tmpdir(), 'upkeep-real-'));
  const folder = join(root, 'apps');
  await cp(SOURCES, folder, { recursive: true });
  await mkdir(join(root, 'user'));
  for (const project of NPM_PROJECTS) {
    await symlink(join(CACHE, project, 'node_modules'), join(folder, project, 'node_modules'));
  }
  await movePorts(join(folder, 'upkeep.config.yaml'), basePort);
  const home = join(root, 'home');
  // What applications keep in the home folder of their user goes to a scratch one.
  const env = { ...process.env, HOME: join(root, 'user'), UPKEEP_HOME: home };
  const upkeep = async (...args: string[]): Promise<string> => {
    const options = { cwd: folder, env, timeout: COMMAND_TIMEOUT_MS };
    return (await run(process.execPath, [UPKEEP, ...args], options)).stdout;
  };
  return { root, folder, home, upkeep };
}

export async function removeSite({ root }: Site): Promise<void> {
  await rm(root, { recursive: true, force: true });
}

/** Once for each content of package.json. */
async function install(project: string): Promise<void> {
  const folder = join(CACHE, project);
  const wanted = await readFile(join(SOURCES, project, 'package.json'), 'utf8');
  const marker = join(folder, 'installed.json');
  if ((await readFile(marker, 'utf8').catch(() => '')) === wanted) return;
  console.log(`Installing ${project} into ${folder}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), wanted);
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder });
  await writeFile(marker, wanted);
}

async function movePorts(file: string, basePort: number): Promise<void> {
  const text = await readFile(file, 'utf8');
  const moved = text.replaceAll(/\b184\d\d\b/g, (port) => String(Number(port) - WRITTEN_PORT + basePort));
  await writeFile(file, moved);
}
