/** Folders, files and accounts that a service names must exist. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { ServiceSpec } from '../../protocol/index.js';
import { mostSimilar } from '../../util/index.js';
import type { Path, Report } from '../diagnostic.js';
import type { Draft } from '../draft.js';
import { isInRelease } from '../normalize/in-release.js';
import { findSimilarFile, kindOf, type FileKind } from '../normalize/lookup.js';

const run = promisify(execFile);

export async function checkFiles(draft: Draft, spec: ServiceSpec, report: Report): Promise<void> {
  const { service, place } = draft;
  if (!isInRelease(spec.cwd, spec.release))
    await checkFolder(service.cwd ?? '.', spec.cwd, place(['cwd']), report);
  for (const [index, file] of spec.envFiles.entries()) {
    if (isInRelease(file, spec.release)) continue;
    const part = place(['envFiles', index]);
    await checkFile('env file', service.envFiles?.[index] ?? file, file, part, report);
  }
  for (const [key, secret] of Object.entries(spec.secrets)) {
    if (!('file' in secret)) continue;
    const part = place(['secrets', key, 'file']);
    await checkFile('file', service.secrets?.[key]?.file ?? secret.file, secret.file, part, report);
  }
  if (spec.user !== null) await checkAccount('user', spec.user, place(['user']), report);
  if (spec.group !== null) await checkAccount('group', spec.group, place(['group']), report);
}

async function checkFolder(written: string, path: string, place: Path, report: Report): Promise<void> {
  const kind = await kindOf(path);
  if (kind === 'folder') return;
  const fact = kind === 'file' ? 'is a file, not a folder' : 'does not exist';
  report({
    path: place,
    message: `"${written}" ${fact} (${path})`,
    hint: await hintFor(kind, path, 'name an existing folder'),
  });
}

export async function checkFile(
  what: string,
  written: string,
  path: string,
  place: Path,
  report: Report,
): Promise<void> {
  const kind = await kindOf(path);
  if (kind === 'file') return;
  const fact = kind === 'folder' ? 'is a folder, not a file' : 'does not exist';
  const hint = await hintFor(kind, path, 'create it, or correct the path');
  report({ path: place, message: `the ${what} "${written}" ${fact} (${path})`, hint });
}

async function hintFor(kind: FileKind, path: string, otherwise: string): Promise<string> {
  const similar = kind === 'missing' && (await findSimilarFile(path));
  return similar ? `did you mean "${similar}"?` : otherwise;
}

/** Accounts of a directory service are in no file, so the system is asked before a name is refused. */
async function checkAccount(kind: 'user' | 'group', name: string, path: Path, report: Report): Promise<void> {
  if (/^\d+$/.test(name)) return;
  const file = kind === 'user' ? '/etc/passwd' : '/etc/group';
  const known = (await readFile(file, 'utf8').catch(() => ''))
    .split('\n')
    .flatMap((line) => line.split(':', 1));
  if (known.includes(name) || (await isKnownToSystem(kind, name))) return;
  const near = mostSimilar(name, known.filter(Boolean));
  report({
    path,
    message: `the ${kind} "${name}" does not exist (${file})`,
    hint: near ? `did you mean "${near}"?` : `create it, or name an existing ${kind}`,
  });
}

function isKnownToSystem(kind: 'user' | 'group', name: string): Promise<boolean> {
  const question = kind === 'user' ? run('id', ['-u', '--', name]) : run('getent', ['group', name]);
  return question.then(
    () => true,
    () => false,
  );
}
