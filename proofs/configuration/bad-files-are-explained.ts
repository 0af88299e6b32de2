/**
 * Each bad configuration file gets a diagnostic with file, line, column and the way out, from `upkeep check` and from
 * `upkeep up`, and nothing is started or written.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(ROOT, 'test/fixtures/bad-configs');
const EXIT_CONFIG_INVALID = 3;
const SECRETS = /hunter2|abc123/;
const WORKERS = 2;

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const every = Math.max(1, Math.round(1 / Number(values.scale)));
const files = readdirSync(FOLDER).filter((name, index) => /\.\w+$/.test(name) && index % every === 0);

interface Verdict {
  readonly file: string;
  readonly isError: boolean;
  /** Empty: as promised. */
  readonly complaints: readonly string[];
}

const verdicts: Verdict[] = [];
const pending = [...files];
await Promise.all(
  Array.from({ length: WORKERS }, async () => {
    for (let file = pending.shift(); file !== undefined; file = pending.shift())
      verdicts.push(await judge(file));
  }),
);

const broken = verdicts.filter(({ complaints }) => complaints.length > 0);
for (const { file, complaints } of broken) console.log(`${file}: ${complaints.join('; ')}`);
const errors = verdicts.filter(({ isError }) => isError).length;
console.log(
  `files: ${verdicts.length}, with errors: ${errors}, with warnings only: ${verdicts.length - errors}`,
);
console.log(`explained with file:line:column and hint, nothing started: ${verdicts.length - broken.length}`);
process.exitCode = broken.length === 0 && verdicts.length > 0 ? 0 : 1;

async function judge(file: string): Promise<Verdict> {
  const home = mkdtempSync(join(tmpdir(), 'upkeep-proof-'));
  rmSync(home, { recursive: true });
  const profile = /^\W+profile: (\w+)$/m.exec(readFileSync(join(FOLDER, file), 'utf8'))?.[1];
  const args = [file, ...(profile === undefined ? [] : ['--profile', profile])];
  const check = await upkeep(['check', ...args], home);
  const complaints = complaintsAbout(check.output, file);
  const isError = check.code !== 0;
  if (isError) {
    // A file with warnings only is right enough to be started.
    const up = await upkeep(['up', ...args], home);
    complaints.push(...complaintsAbout(up.output, file).map((complaint) => `up: ${complaint}`));
    if (check.code !== EXIT_CONFIG_INVALID) complaints.push(`check exits with ${check.code}`);
    if (up.code !== EXIT_CONFIG_INVALID) complaints.push(`up exits with ${up.code}`);
  }
  if (existsSync(home)) complaints.push('a home was made');
  return { file, isError, complaints };
}

function complaintsAbout(output: string, file: string): string[] {
  const complaints: string[] = [];
  if (!new RegExp(`^${file.replaceAll('.', '\\.')}:\\d+:\\d+ `, 'm').test(output))
    complaints.push('no file:line:column');
  if (!/^ {2}hint: ./m.test(output)) complaints.push('no hint');
  if (SECRETS.test(output)) complaints.push('a secret is shown');
  return complaints;
}

function upkeep(args: readonly string[], home: string): Promise<{ code: number; output: string }> {
  const env = { ...process.env, UPKEEP_HOME: home, NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(ROOT, 'bin/upkeep.js'), ...args],
      { cwd: FOLDER, env },
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr });
      },
    );
  });
}
