/** Puts a project into a folder of its own outside of the repository, installs what it needs, and builds it; once. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CACHE = join(process.env['UPKEEP_PROOF_CACHE'] ?? join(tmpdir(), 'upkeep-proof-apps'), 'port');
/** A build of Next.js is silent for minutes. */
const STEP_MS = 900_000;

export interface Project {
  /** Its folder, from proofs/port: `apps/express5`, `../daemon/…`. */
  readonly source: string;
  /** What is run after the installation, in /bin/sh. */
  readonly build?: string;
}

/** Answers the folder in which the project is to be run. */
export async function install({ source, build }: Project): Promise<string> {
  const from = fileURLToPath(new URL(`../${source}`, import.meta.url));
  const folder = join(CACHE, source.replaceAll(/[./]+/g, '-'));
  await mkdir(folder, { recursive: true });
  await cp(from, folder, { recursive: true });
  const manifest = await readFile(join(from, 'package.json'), 'utf8').catch(() => undefined);
  if (manifest?.includes('ependencies"')) {
    // npm would find the lock file of a folder above; nothing here wants an install script.
    const npm = 'npm install --no-audit --no-fund --ignore-scripts --loglevel=error';
    await once(folder, 'installed', manifest, npm);
  }
  if (build) await once(folder, 'built', (await digest(from)) + build, build);
  return folder;
}

/** Unless it was done with the same content before. */
async function once(folder: string, what: string, content: string, command: string): Promise<void> {
  const marker = join(folder, `.${what}`);
  if ((await readFile(marker, 'utf8').catch(() => '')) === content) return;
  console.log(`${folder}: ${command}`);
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };
  await run('/bin/sh', ['-c', command], { cwd: folder, env, timeout: STEP_MS, maxBuffer: 2 ** 26 });
  await writeFile(marker, content);
}

async function digest(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  for (const file of files.sort()) hash.update(relative(folder, file)).update(await readFile(file));
  return hash.digest('hex');
}

/** A key and a certificate that signs itself. */
export async function createCertificate(folder: string): Promise<{ key: string; cert: string }> {
  const key = join(folder, 'key.pem');
  const cert = join(folder, 'cert.pem');
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', '/CN=localhost', '-days', '2'];
  await run('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert]);
  return { key, cert };
}
