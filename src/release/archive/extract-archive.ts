/**
 * Archives are unpacked by a child process: what a hostile one can cost is then not the daemon's memory, and the readers of the
 * formats are loaded only while one is read.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, lstatSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UpkeepError, type ErrorCode } from '../../protocol/index.js';
import { packageRoot } from '../../system/index.js';
import type { Extracted, ExtractJob } from './extract.js';
import { DEFAULT_LIMITS, type ArchiveLimits } from './limits.js';

export interface ExtractOptions {
  /** Of the whole file, 64 hexadecimal digits; the archive is refused if it has another. @default not checked */
  readonly sha256?: string | undefined;
  /** @default see ArchiveLimits */
  readonly limits?: Partial<ArchiveLimits>;
  /** Ends it; nothing is left. */
  readonly signal?: AbortSignal;
}

/** What the child says at its end. */
export type Answer =
  | { readonly done: Extracted }
  | {
      readonly failed: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly hint?: string | undefined;
        readonly details?: unknown;
      };
    };

const MAX_WORDS = 2000;

/**
 * Unpacks a .tar, .tar.gz or .zip into a new folder, which is there as a whole and on the disk, or not at all. Files become 0644
 * or 0755 and belong to this user; links lead to something within the folder.
 *
 * Throws `archive-refused` where a rule is broken, `extract-failed` where the disk does not take it.
 */
export async function extractArchive(
  archive: string,
  folder: string,
  options: ExtractOptions = {},
): Promise<Extracted> {
  const target = resolve(folder);
  judgeRequest(archive, target, options);
  const staging = await makeStaging(archive, target);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const job: ExtractJob = {
    archive: resolve(archive),
    folder: target,
    staging,
    sha256: options.sha256,
    limits,
  };
  try {
    return await runChild(job, options.signal);
  } finally {
    await rm(staging, { recursive: true, force: true }); // of a child that was killed
  }
}

function judgeRequest(archive: string, target: string, { sha256, limits = {} }: ExtractOptions): void {
  const no = (fact: string, hint: string): never => {
    throw new UpkeepError('bad-request', `Cannot extract "${archive}": ${fact}`, { hint });
  };
  if (sha256 !== undefined && !/^[\da-f]{64}$/i.test(sha256)) {
    no(`"${sha256.slice(0, 80)}" is no sha256`, 'give 64 hexadecimal digits, as sha256sum prints them');
  }
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) no(`${name} is ${value}`, 'give a whole number above 0');
  }
  if (lstatSync(target, { throwIfNoEntry: false }))
    no(`"${target}" exists`, 'give a folder that does not exist yet');
  if (!existsSync(archive)) no('there is no such file', 'see that the path is right');
}

async function makeStaging(archive: string, target: string): Promise<string> {
  try {
    return await mkdtemp(join(dirname(target), `.${basename(target)}.extracting-`));
  } catch (error) {
    throw new UpkeepError('extract-failed', `Cannot extract "${archive}": ${(error as Error).message}`, {
      hint: `see that "${dirname(target)}" is there and can be written to`,
      cause: error,
    });
  }
}

async function runChild(job: ExtractJob, signal: AbortSignal | undefined): Promise<Extracted> {
  const script = join(packageRoot(), 'dist', 'archive-extractor.js');
  const child = spawn(process.execPath, ['--no-warnings', script], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH }, // it needs no secret
  });
  const end = (): void => void child.stdin.end(); // it gives up, and clears away
  signal?.addEventListener('abort', end, { once: true });
  try {
    child.stdin.on('error', () => undefined); // its end tells why
    child.stdin.write(`${JSON.stringify(job)}\n`);
    if (signal?.aborted) end();
    const answer = await answerOf(child);
    if ('done' in answer) return answer.done;
    signal?.throwIfAborted();
    const { code, message, ...rest } = answer.failed;
    throw new UpkeepError(code, message, rest);
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

function answerOf(child: ChildProcess): Promise<Answer> {
  let said = '';
  let words = '';
  child.stdout!.on('data', (bytes: Buffer) => (said += bytes.toString('utf8')));
  child.stderr!.on(
    'data',
    (bytes: Buffer) => (words = `${words}${bytes.toString('utf8')}`.slice(0, MAX_WORDS)),
  );
  return new Promise((settle, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => {
      if (said.endsWith('\n')) return settle(JSON.parse(said) as Answer);
      const why = words.trim() || `it ended with ${signal ?? `code ${code}`}`;
      const message = `Cannot extract: the process that unpacks has failed: ${why}`;
      fail(new UpkeepError('extract-failed', message, { hint: 'try again; see whether memory ran out' }));
    });
  });
}
